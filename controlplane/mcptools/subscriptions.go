package mcptools

import (
	"context"
	"errors"
	"maps"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// maxSubscriptions is how many resources one session or stream may subscribe to.
const maxSubscriptions = 64

// subscription is one resource that a client wants to hear of.
type subscription struct {
	session protocol.SessionID // or
	host    protocol.HostID
	look    string // when the client last heard of it
}

// subscriptions are what one client has subscribed to, by the URIs as it wrote them.
type subscriptions struct {
	mu      sync.Mutex // guards the field below
	to      map[string]subscription
	changed chan struct{} // gets a value when to has another member, or one less
}

func newSubscriptions() *subscriptions {
	return &subscriptions{to: map[string]subscription{}, changed: make(chan struct{}, 1)}
}

// add reports whether there is room for one more.
func (s *subscriptions) add(uri string, to subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.to[uri]; !known && len(s.to) >= maxSubscriptions {
		return false
	}
	s.to[uri] = to
	s.poke()
	return true
}

func (s *subscriptions) remove(uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.to, uri)
	s.poke()
}

func (s *subscriptions) poke() {
	select {
	case s.changed <- struct{}{}:
	default: // one is waiting to be read already
	}
}

func (s *subscriptions) followed() fleet.Followed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f fleet.Followed
	for _, to := range s.to {
		switch {
		case to.session != "" && !slices.Contains(f.Sessions, to.session):
			f.Sessions = append(f.Sessions, to.session)
		case to.host != "" && !slices.Contains(f.Hosts, to.host):
			f.Hosts = append(f.Hosts, to.host)
		}
	}
	return f
}

// tell sends the URIs of what looks otherwise than the client knows. One that cannot be sent is due again next time.
func (s *subscriptions) tell(looks fleet.Looks, send func(uri string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uri := range slices.Sorted(maps.Keys(s.to)) {
		to := s.to[uri]
		look, seen := looks.Sessions[to.session]
		if to.host != "" {
			look, seen = looks.Hosts[to.host]
		}
		if !seen || look == to.look || send(uri) != nil {
			continue
		}
		to.look = look
		s.to[uri] = to
	}
}

// follow sends a client's news until ctx ends.
func (d *Desk) follow(ctx context.Context, caller auth.Caller, s *subscriptions, send func(uri string) error) {
	defer func() {
		if cause := recover(); cause != nil { // it runs in a goroutine of its own, where nobody else would catch it
			d.Log.ErrorContext(ctx, "panic in subscription", "panic", cause, "stack", string(debug.Stack()))
		}
	}()
	d.Fleet.Follow(ctx, caller, fleet.Follow{
		What: s.followed, Changed: s.changed, Tell: func(looks fleet.Looks) { s.tell(looks, send) },
	})
}

// subscribe finds what a URI names, as the caller may see it.
func (c call) subscribe(ctx context.Context, uri string) (subscription, error) {
	kind, name, ok := kindOf(uri)
	if !ok {
		return subscription{}, auth.ErrNotFound
	}
	if kind.uri.variable == variableHost {
		host, err := c.fleet.Host(ctx, c.caller, name)
		return subscription{host: host.ID, look: host.Look(c.fleet.Now())}, err
	}
	session, err := c.fleet.Session(ctx, c.caller, name)
	if err != nil || !names(name, session) {
		return subscription{}, orNotFound(err)
	}
	return subscription{session: session.ID, look: session.Look()}, nil
}

// neverChanges reports whether mcp-go itself has the resource: it is none of a caller's, and stays as it is.
func (d *Desk) neverChanges(uri string) bool {
	_, ok := d.server.ListResources()[uri]
	return ok
}

// listen serves subscriptions/listen, as clients subscribe since 2026-07-28. It leaves in the request what there will
// be news of, and mcp-go acknowledges that. The stream is the request's own, so it reaches nobody else.
func (d *Desk) listen(ctx context.Context, _ any, request *mcp.SubscriptionsListenRequest) {
	reader := d.reader(ctx)
	s := newSubscriptions()
	var established []string
	wanted := request.Params.Notifications.ResourceSubscriptions
	for _, uri := range wanted[:min(len(wanted), maxSubscriptions)] { // each is looked up, so no more are
		if d.neverChanges(uri) {
			established = append(established, uri)
			continue
		}
		to, err := reader.subscribe(ctx, uri)
		if err == nil && s.add(uri, to) && !slices.Contains(established, uri) {
			established = append(established, uri)
		}
		if err != nil && !errors.Is(err, auth.ErrNotFound) && !errors.Is(err, fleet.ErrInvalid) {
			d.explain(ctx, "subscriptions/listen", reader.caller, err) // to the log: the client sees what is not acknowledged
		}
	}
	request.Params.Notifications.ResourceSubscriptions = established
	if len(established) == 0 {
		return
	}
	go d.follow(ctx, reader.caller, s, func(uri string) error {
		return d.server.SendNotificationToClient(ctx, mcp.MethodNotificationResourceUpdated, map[string]any{"uri": uri})
	})
}
