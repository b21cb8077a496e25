package mcptools

import (
	"context"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// legacy are the subscriptions of sessions by clients before 2026-07-28, by Mcp-Session-Id. Whose a session is, mcphttp
// has checked before anything gets here. They live as long as the session, in this process, as it does.
type legacy struct {
	mu       sync.Mutex // guards the field below
	sessions map[string]*subscriptions
}

func (l *legacy) of(session string) *subscriptions {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[session]
}

// opened and closed are called for each session. Nothing else makes an entry, so none outlives its session.
func (l *legacy) opened(_ context.Context, session server.ClientSession) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions[session.SessionID()] = newSubscriptions()
}

func (l *legacy) closed(_ context.Context, session server.ClientSession) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, session.SessionID())
}

// ofRequest are the subscriptions of the session that a request belongs to; nil: it belongs to none.
func (l *legacy) ofRequest(ctx context.Context) *subscriptions {
	session := server.ClientSessionFromContext(ctx)
	if session == nil {
		return nil
	}
	return l.of(session.SessionID())
}

// subscribe serves resources/subscribe.
func (d *Desk) subscribe(ctx context.Context, _ any, request *mcp.SubscribeRequest) {
	if d.neverChanges(request.Params.URI) {
		return
	}
	s := d.legacy.ofRequest(ctx)
	if s == nil {
		d.Failed(ctx, mcp.INVALID_REQUEST, "a subscription needs a session: initialize, and send its Mcp-Session-Id")
		return
	}
	reader := d.reader(ctx)
	to, err := reader.subscribe(ctx, request.Params.URI)
	if err != nil {
		d.unread(ctx, "resources/subscribe", reader.caller, err)
		return
	}
	if !s.add(request.Params.URI, to) {
		d.Failed(ctx, mcp.INVALID_PARAMS, "this session has too many subscriptions: end one with resources/unsubscribe first")
	}
}

// unsubscribe serves resources/unsubscribe. What was not subscribed to is no error.
func (d *Desk) unsubscribe(ctx context.Context, _ any, request *mcp.UnsubscribeRequest) {
	if s := d.legacy.ofRequest(ctx); s != nil {
		s.remove(request.Params.URI)
	}
}

// Stream sends a legacy session's news while its stream of notifications is open. What changed while it was not is
// told first.
func (d *Desk) Stream(ctx context.Context, session string) {
	s := d.legacy.of(session)
	caller, ok := d.Caller(ctx)
	if s == nil || !ok {
		return
	}
	d.follow(ctx, caller, s, func(uri string) error {
		return d.server.SendNotificationToSpecificClient(session, mcp.MethodNotificationResourceUpdated,
			map[string]any{"uri": uri})
	})
}
