package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// deviceFlow is the client's side of the device authorization grant (RFC 8628) at one control plane.
type deviceFlow struct {
	client  *http.Client
	address string
	device  string // the endpoint that gives codes
	token   string // the endpoint that is polled
}

const (
	metadataPath   = "/.well-known/oauth-authorization-server" // RFC 8414
	grantDevice    = "urn:ietf:params:oauth:grant-type:device_code"
	flowTime       = 15 * time.Second // for one request
	maxAnswer      = 64 << 10         // bytes
	usualInterval  = 5 * time.Second  // if none is named, and by how much slow_down makes it longer (RFC 8628 section 3.5)
	maxRetryPeriod = time.Minute
)

// discover finds the endpoints, which all must be at the address that the person gave.
func discover(ctx context.Context, address string) (*deviceFlow, error) {
	f := &deviceFlow{address: address, client: &http.Client{
		Transport: link.NewTransport(), Timeout: flowTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+metadataPath, nil)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
		Device string `json:"device_authorization_endpoint"`
		Token  string `json:"token_endpoint"`
	}
	status, err := f.do(request, &metadata)
	if err != nil && status == 0 {
		return nil, fmt.Errorf("%w\n%s", err, adviseReach(err))
	}
	if err != nil || status != http.StatusOK || metadata.Issuer == "" {
		return nil, fmt.Errorf("%s answered %d: is that a Switchboard control plane?", address, status)
	}
	if metadata.Issuer != address {
		return nil, fmt.Errorf("the control plane at %s calls itself %q: log in there, if that is the one that you mean", address, metadata.Issuer)
	}
	if metadata.Device == "" {
		return nil, fmt.Errorf("the control plane at %s does not know `hostagent login` yet: upgrade it, or make a join token on %s/hosts "+
			"and run `hostagent enroll`", address, address)
	}
	for _, endpoint := range []string{metadata.Device, metadata.Token} {
		if !strings.HasPrefix(endpoint, address+"/") {
			return nil, fmt.Errorf("the control plane at %s sends elsewhere, to %q: not followed", address, endpoint)
		}
	}
	f.device, f.token = metadata.Device, metadata.Token
	return f, nil
}

// asked is what the control plane answered to the wish for a code.
type asked struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Page       string `json:"verification_uri"`
	PageFilled string `json:"verification_uri_complete"`
	ExpiresIn  int    `json:"expires_in"` // seconds
	Interval   int    `json:"interval"`   // seconds

	ends time.Time
}

// page is the address to open; the one with the code in it, if there is one.
func (a asked) page() string {
	if a.PageFilled != "" {
		return a.PageFilled
	}
	return a.Page
}

// ask gets a code to show.
func (f *deviceFlow) ask(ctx context.Context, host, user string) (asked, error) {
	var a asked
	err := f.post(ctx, f.device, url.Values{
		"client_id": {protocol.LoginClient}, "scope": {protocol.LoginScope},
		protocol.LoginHostName: {host}, protocol.LoginHostUser: {user},
	}, &a)
	if err != nil {
		return a, fmt.Errorf("asking %s for a code: %w", f.address, err)
	}
	// What is shown to the person must be the control plane's own page, and plain text.
	if a.DeviceCode == "" || a.ExpiresIn <= 0 || !plain(a.UserCode) || !plain(a.page()) || !strings.HasPrefix(a.page(), f.address+"/") {
		return a, fmt.Errorf("%s gave no code that could be shown", f.address)
	}
	a.ends = time.Now().Add(time.Duration(a.ExpiresIn) * time.Second)
	return a, nil
}

// plain reports whether a terminal shows s as it is.
func plain(s string) bool {
	return s != "" && len(s) < 512 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// wait polls until a person has decided, and returns the access token.
func (f *deviceFlow) wait(ctx context.Context, a asked) (string, error) {
	interval := time.Duration(a.Interval) * time.Second
	if interval <= 0 {
		interval = usualInterval
	}
	expired := errors.New("nobody allowed it in time: run `hostagent login` again")
	for time.Now().Add(interval).Before(a.ends) {
		if err := pause(ctx, interval); err != nil {
			return "", err
		}
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		err := f.post(ctx, f.token, url.Values{
			"grant_type": {grantDevice}, "device_code": {a.DeviceCode}, "client_id": {protocol.LoginClient},
		}, &answer)
		var refused *flowRefusal
		switch {
		case err == nil && answer.AccessToken == "":
			return "", fmt.Errorf("%s answered without a token", f.address)
		case err == nil:
			return answer.AccessToken, nil
		case ctx.Err() != nil:
			return "", ctx.Err()
		case !errors.As(err, &refused) || refused.again():
			interval = min(2*interval, maxRetryPeriod) // it cannot be reached, or not now (RFC 8628 section 3.5)
		case refused.Code == "slow_down":
			interval += usualInterval
		case refused.Code == "access_denied":
			return "", errors.New("it was denied on the control plane's page: this machine is no host of it")
		case refused.Code == "expired_token":
			return "", expired
		case refused.Code != "authorization_pending":
			return "", fmt.Errorf("%s: %w", f.address, refused)
		}
	}
	return "", expired
}

// flowRefusal is an OAuth error (RFC 6749 section 5.2).
type flowRefusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`

	status int
}

// again reports whether the same request may do later.
func (e *flowRefusal) again() bool {
	return e.status == http.StatusTooManyRequests || e.status >= http.StatusInternalServerError
}

func (e *flowRefusal) Error() string { return fmt.Sprintf("%q (%.40q)", e.Description, e.Code) }

// post sends a form and reads a good answer into into. A refusal is a *flowRefusal.
func (f *deviceFlow) post(ctx context.Context, endpoint string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var body json.RawMessage
	status, err := f.do(request, &body)
	if status == http.StatusOK && err == nil {
		return json.Unmarshal(body, into)
	}
	if status == 0 {
		return err
	}
	refused := &flowRefusal{status: status}
	if json.Unmarshal(body, refused) != nil || refused.Code == "" {
		refused.Code, refused.Description = "unreadable", fmt.Sprintf("answered %d", status)
	}
	return refused
}

// do sends a request and reads the JSON of its answer. The status is 0 if there was none.
func (f *deviceFlow) do(request *http.Request, into any) (status int, err error) {
	response, err := f.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, err
	}
	return response.StatusCode, json.Unmarshal(text, into)
}
