package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// MCP Events, by which a server wakes its client: a proposal of the MCP project
// (experimental-ext-triggers-events, "MCP Events: design sketch") that ChatGPT speaks, with webhooks only. What it
// calls an event is our notice. Mcp-go does not know its methods.

// The methods.
const (
	MethodEventsList        = "events/list"
	MethodEventsSubscribe   = "events/subscribe"
	MethodEventsUnsubscribe = "events/unsubscribe"
)

// The errors that MCP Events adds.
const (
	codeNotFound    = -32011
	codeForbidden   = -32012
	codeExhausted   = -32013
	codeUnsupported = -32014
	codeCallback    = -32015
)

// Methods are those that mcp-go has no place for.
func (d *Desk) Methods() map[string]func(context.Context, auth.Caller, json.RawMessage) (any, *mcp.JSONRPCErrorDetails) {
	return map[string]func(context.Context, auth.Caller, json.RawMessage) (any, *mcp.JSONRPCErrorDetails){
		MethodEventsList:        d.listEvents,
		MethodEventsSubscribe:   d.subscribeEvents,
		MethodEventsUnsubscribe: d.unsubscribeEvents,
	}
}

// Capabilities are what Methods adds to the server's.
func Capabilities() map[string]any { return map[string]any{"events": struct{}{}} }

// eventType is one kind of notice as a client sees it.
type eventType struct {
	Name          fleet.NoticeKind `json:"name"`
	Title         string           `json:"title"`
	Description   string           `json:"description"`
	Delivery      []string         `json:"delivery"`
	InputSchema   json.RawMessage  `json:"inputSchema"`
	PayloadSchema json.RawMessage  `json:"payloadSchema"`
}

// eventArguments narrow a subscription.
type eventArguments struct {
	SessionID string `json:"session_id" max:"100" doc:"Only this session: its handle, UUID, or a name that only it has. Left out: all of the user's."`
	Host      string `json:"host" max:"100" doc:"Only sessions on this machine. Left out: all. Not together with session_id."`
}

// EventTypes is the list.
func EventTypes() []eventType {
	input := objectOf(reflect.TypeFor[eventArguments]()).schema(strict)
	payload := objectOf(reflect.TypeFor[fleet.NoticeData]()).schema(open)
	of := func(kind fleet.NoticeKind, title, description string) eventType {
		return eventType{
			Name: kind, Title: title, Description: description, Delivery: []string{deliveryWebhook},
			InputSchema: input, PayloadSchema: payload,
		}
	}
	return []eventType{
		of(fleet.NoticeNeedsAnswer, "A session needs an answer",
			"A coding agent asks for permission or has a question, and waits. check_prompts shows it."),
		of(fleet.NoticeFinished, "A session has finished",
			"A coding agent is done with what it was told and waits for the next message. get_logs shows what it did."),
		of(fleet.NoticeEnded, "A session has ended", "A coding agent has exited. get_session_status shows how."),
	}
}

const deliveryWebhook = "webhook"

// listTTL is how long a client may keep a list that is the same for everyone, in milliseconds.
const listTTL = 300_000

type eventsListed struct {
	ResultType string      `json:"resultType"`
	Events     []eventType `json:"events"`
	TTLMs      int         `json:"ttlMs"`
	CacheScope string      `json:"cacheScope"`
}

func (d *Desk) listEvents(_ context.Context, caller auth.Caller, _ json.RawMessage) (any, *mcp.JSONRPCErrorDetails) {
	return eventsListed{
		ResultType: string(mcp.ResultTypeComplete), Events: EventTypes(),
		TTLMs: listTTL, CacheScope: string(mcp.CacheScopePublic),
	}, nil
}

// subscribeParams are those of events/subscribe and, as far as they name a subscription, of events/unsubscribe.
type subscribeParams struct {
	Name      fleet.NoticeKind `json:"name"`
	Arguments json.RawMessage  `json:"arguments"`
	Delivery  struct {
		Mode   string      `json:"mode"`
		URL    string      `json:"url"`
		Secret auth.Secret `json:"secret"`
	} `json:"delivery"`
	Cursor *string         `json:"cursor"`
	TTLMs  json.RawMessage `json:"ttlMs"`
}

type subscribed struct {
	ResultType     string         `json:"resultType"`
	ID             string         `json:"id"`
	RefreshBefore  time.Time      `json:"refreshBefore"`
	Cursor         *string        `json:"cursor"` // null: there is no replay
	Truncated      bool           `json:"truncated"`
	DeliveryStatus deliveryStatus `json:"deliveryStatus"`
}

// deliveryStatus is how deliveries went until now.
type deliveryStatus struct {
	Active         bool       `json:"active"`
	LastDeliveryAt *time.Time `json:"lastDeliveryAt"`
	LastError      *string    `json:"lastError"`
	FailedSince    *time.Time `json:"failedSince,omitempty"`
}

func (d *Desk) subscribeEvents(ctx context.Context, caller auth.Caller, text json.RawMessage) (any, *mcp.JSONRPCErrorDetails) {
	params, wants, problem := readSubscription(text)
	if problem != nil {
		return nil, problem
	}
	s, err := d.Fleet.Subscribe(ctx, caller, wants)
	if err != nil {
		return nil, d.eventProblem(ctx, caller, err)
	}
	status := deliveryStatus{Active: s.Active, LastDeliveryAt: s.LastSentAt, FailedSince: s.FailedSince}
	if s.LastError != "" {
		status.LastError = &s.LastError
	}
	return subscribed{
		ResultType: string(mcp.ResultTypeComplete), ID: s.ID, RefreshBefore: s.ExpiresAt.UTC(),
		Truncated:      params.Cursor != nil, // a position of no server of ours
		DeliveryStatus: status,
	}, nil
}

func (d *Desk) unsubscribeEvents(ctx context.Context, caller auth.Caller, text json.RawMessage) (any, *mcp.JSONRPCErrorDetails) {
	_, wants, problem := readSubscription(text)
	if problem != nil {
		return nil, problem
	}
	if err := d.Fleet.Unsubscribe(ctx, caller, wants); err != nil {
		return nil, d.eventProblem(ctx, caller, err)
	}
	return struct {
		ResultType string `json:"resultType"`
	}{string(mcp.ResultTypeComplete)}, nil
}

func readSubscription(text json.RawMessage) (subscribeParams, fleet.Subscribe, *mcp.JSONRPCErrorDetails) {
	var params subscribeParams
	if err := json.Unmarshal(text, &params); err != nil {
		return params, fleet.Subscribe{}, invalidParams("params: want name, arguments and delivery as events/list describes them")
	}
	if params.Delivery.Mode != "" && params.Delivery.Mode != deliveryWebhook {
		return params, fleet.Subscribe{}, &mcp.JSONRPCErrorDetails{
			Code: codeUnsupported, Message: "only webhook delivery is supported",
			Data: map[string]string{"feature": "deliveryMode", "value": plainLine(params.Delivery.Mode)},
		}
	}
	var arguments eventArguments
	if string(params.Arguments) != "null" {
		if err := objectOf(reflect.TypeFor[eventArguments]()).decode(params.Arguments, &arguments); err != nil {
			return params, fleet.Subscribe{}, invalidParams("arguments: " + err.Error())
		}
	}
	if arguments.SessionID != "" && arguments.Host != "" {
		return params, fleet.Subscribe{}, invalidParams("arguments: session_id and host do not go together")
	}
	ttl, ok := readTTL(params.TTLMs)
	if !ok {
		return params, fleet.Subscribe{}, invalidParams("ttlMs: want a whole number of milliseconds above 0, or null")
	}
	return params, fleet.Subscribe{
		Kind: params.Name, Session: arguments.SessionID, Host: arguments.Host,
		URL: params.Delivery.URL, Secret: params.Delivery.Secret, TTL: ttl,
	}, nil
}

// readTTL reads how long a client suggests: 0 if it does not say, negative if it wants no end.
func readTTL(text json.RawMessage) (time.Duration, bool) {
	switch string(text) {
	case "":
		return 0, true
	case "null":
		return -1, true
	}
	var ms int64
	if json.Unmarshal(text, &ms) != nil || ms <= 0 {
		return 0, false
	}
	const longest = int64(10 * 365 * 24 * time.Hour / time.Millisecond) // so that it fits
	return time.Duration(min(ms, longest)) * time.Millisecond, true
}

func invalidParams(message string) *mcp.JSONRPCErrorDetails {
	return &mcp.JSONRPCErrorDetails{Code: mcp.INVALID_PARAMS, Message: plainLine(message)}
}

// eventProblem turns an error into MCP Events' words: the only place that does.
func (d *Desk) eventProblem(ctx context.Context, caller auth.Caller, err error) *mcp.JSONRPCErrorDetails {
	said := func(code int, data any) *mcp.JSONRPCErrorDetails {
		return &mcp.JSONRPCErrorDetails{Code: code, Message: plainLine(err.Error()), Data: data}
	}
	var callback *fleet.CallbackError
	switch {
	case errors.As(err, &callback):
		return said(codeCallback, map[string]string{"reason": string(callback.Reason)})
	case errors.Is(err, fleet.ErrTooMany):
		return said(codeExhausted, map[string]string{"limit": "subscriptions"})
	case errors.Is(err, auth.ErrNotFound):
		return said(codeNotFound, nil)
	case errors.Is(err, auth.ErrForbidden):
		return said(codeForbidden, nil)
	case errors.Is(err, fleet.ErrInvalid):
		return said(mcp.INVALID_PARAMS, nil)
	case errors.Is(err, auth.ErrUnavailable):
		d.Unavailable(ctx)
		return &mcp.JSONRPCErrorDetails{Code: mcp.INTERNAL_ERROR, Message: unavailableError}
	}
	d.Log.ErrorContext(ctx, "subscription failed", "user", caller.User, "err", err)
	return &mcp.JSONRPCErrorDetails{Code: mcp.INTERNAL_ERROR, Message: internalError}
}
