// Package notify carries notices to where people asked to hear of them. It has one sink: webhooks as MCP Events has
// them, signed as Standard Webhooks has it. What to tell whom, and whether he may hear it, fleet decides.
package notify

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"

	"switchboard/auth"
	"switchboard/auth/outbound"
)

// Webhooks sends to addresses that clients named. Its fields are set once, before use.
type Webhooks struct {
	Client *outbound.Client
	Now    func() time.Time
}

// Callback is where to send, and how to sign.
type Callback struct {
	Subscription string // its id, by which the receiver finds the secret
	URL          string
	Secrets      []auth.Secret // the newest first; the one before it signs too for a while
}

// Reason is why a webhook did not take what was sent, in the words that a client is told: never the endpoint's own,
// or whoever names an address could read what is there.
type Reason string

// The reasons (MCP Events, "Webhook delivery status").
const (
	ReasonRefused   Reason = "connection_refused" // also: an address that may not be called
	ReasonTimeout   Reason = "timeout"
	ReasonTLS       Reason = "tls_error"
	ReasonClient    Reason = "http_4xx" // also: a redirect, which is not followed
	ReasonServer    Reason = "http_5xx"
	ReasonChallenge Reason = "challenge_failed"
)

// CallbackError says that a webhook did not take what was sent.
type CallbackError struct {
	Reason Reason
	Gone   bool          // it says that it never will: end the subscription
	Never  bool          // it will not take this one: do not send it again
	After  time.Duration // it asks for this much time; 0: it does not say
	Cause  error         // for the log; nil if it answered
}

func (e *CallbackError) Error() string { return "the callback endpoint failed: " + string(e.Reason) }
func (e *CallbackError) Unwrap() error { return e.Cause }

// Send posts one notice. Its error is a *CallbackError, unless the callback itself is unusable.
func (w *Webhooks) Send(ctx context.Context, c Callback, id string, body []byte) error {
	answer, err := w.post(ctx, c, id, body)
	if err != nil {
		return err
	}
	return w.judge(answer)
}

// Verify asks the endpoint whether it wants what is sent to it, so that nobody can have a stranger flooded: it must
// give back a challenge that it cannot know otherwise (MCP Events, "Endpoint verification").
func (w *Webhooks) Verify(ctx context.Context, c Callback) error {
	challenge := rand.Text()
	body, err := json.Marshal(struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}{"verification", challenge})
	if err != nil {
		return err
	}
	answer, err := w.post(ctx, c, "msg_verification_"+rand.Text(), body)
	if err != nil {
		return err
	}
	if err := w.judge(answer); err != nil {
		return err
	}
	var echo struct {
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(answer.Body, &echo) != nil || subtle.ConstantTimeCompare([]byte(echo.Challenge), []byte(challenge)) != 1 {
		return &CallbackError{Reason: ReasonChallenge}
	}
	return nil
}

func (w *Webhooks) post(ctx context.Context, c Callback, id string, body []byte) (outbound.Response, error) {
	now := w.Now()
	signature, err := sign(id, now, body, c.Secrets)
	if err != nil {
		return outbound.Response{}, err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", timestamp(now))
	header.Set("Webhook-Signature", signature)
	header.Set("X-Mcp-Subscription-Id", c.Subscription)
	answer, err := w.Client.Post(ctx, c.URL, header, body)
	if err != nil {
		return outbound.Response{}, &CallbackError{Reason: reason(err), Cause: err}
	}
	return answer, nil
}

// judge reads an answer's status. What is too large is not sent again, and an endpoint that is gone stays so.
func (w *Webhooks) judge(answer outbound.Response) error {
	after := answer.RetryAfter(w.Now())
	switch {
	case answer.Status >= 200 && answer.Status < 300:
		return nil
	case answer.Status == http.StatusGone:
		return &CallbackError{Reason: ReasonClient, Gone: true}
	case answer.Status == http.StatusRequestEntityTooLarge:
		return &CallbackError{Reason: ReasonClient, Never: true}
	case answer.Status >= 500:
		return &CallbackError{Reason: ReasonServer, After: after}
	}
	return &CallbackError{Reason: ReasonClient, After: after}
}

func reason(err error) Reason {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return ReasonTimeout
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return ReasonTLS
	}
	return ReasonRefused
}
