package mcphttp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/mcpsession"
)

// What one person's client may hold, and how long an unused session lives.
const (
	maxSessions = 100 // the least recently used one makes room for a new one
	maxOpen     = 512 // requests at the same time
	idleExpiry  = time.Hour
	touchEvery  = time.Minute // a session that is in use is written to no more often
)

// errNoSession stands for a session that does not exist, is somebody else's, or has ended: nobody can tell which.
var errNoSession = errors.New("no such session")

// openSession makes a session of 130 random bits. Its request is kept, so that every replica can take it on.
func (h *Handler) openSession(ctx context.Context, caller auth.Caller, initialize []byte) (string, error) {
	now := time.Now()
	s := mcpsession.Session{
		ID: rand.Text(), User: caller.User, Client: caller.ClientID, Initialize: initialize, CreatedAt: now, UsedAt: now,
	}
	return s.ID, h.Sessions.InsertMCPSession(ctx, s, maxSessions)
}

// findSession is the caller's session by its id, which then is in use.
func (h *Handler) findSession(ctx context.Context, id string, caller auth.Caller) (mcpsession.Session, error) {
	if !isName(id) {
		return mcpsession.Session{}, errNoSession
	}
	s, err := h.Sessions.MCPSession(ctx, id)
	now := time.Now()
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return s, errNoSession
	case err != nil:
		return s, err
	case s.User != caller.User || s.Client != caller.ClientID || now.Sub(s.UsedAt) > idleExpiry:
		return mcpsession.Session{}, errNoSession
	}
	h.adopted.touch(id)
	if now.Sub(s.UsedAt) < touchEvery {
		return s, nil
	}
	return s, h.Sessions.TouchMCPSession(ctx, id, now)
}

// isName reports whether a session or a stream can have this id. Postgres takes no text that is not valid UTF-8.
func isName(id string) bool {
	const longest = 64 // far above ours
	return len(id) <= longest && !strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' })
}

// refuseSession answers a request whose session was not found.
func (h *Handler) refuseSession(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNoSession):
		refuse(w, noSession())
	case r.Context().Err() != nil:
		// Whoever asked has gone.
	default:
		h.Log.ErrorContext(r.Context(), "session not found out", "err", err)
		retryAfter(w, auth.RetryAfter)
		refuse(w, &refusal{status: http.StatusServiceUnavailable, code: mcp.INTERNAL_ERROR, message: "try again in a moment"})
	}
}

// adopt makes mcp-go in this process know a session that another replica began, or this one before it was restarted
// or had swept it: it hears again what the client said when it initialized.
func (h *Handler) adopt(r *http.Request, caller auth.Caller, s mcpsession.Session) {
	done, first, surplus := h.adopted.add(s.ID, principalOf(caller))
	if !first {
		select {
		case <-done: // until then mcp-go would serve the request without what the client can do
		case <-r.Context().Done():
		}
		return
	}
	defer close(done)
	h.letGo(surplus, caller)
	v := &visit{caller: caller, opening: s.ID}
	again := r.Clone(withVisit(context.WithoutCancel(r.Context()), v)) // mcp-go keeps nothing if the client has gone
	again.Method = http.MethodPost
	again.Body = io.NopCloser(bytes.NewReader(s.Initialize))
	again.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, " + eventStream}}
	h.next.ServeHTTP(newHeld(), again)
}

// letGo makes mcp-go in this process free what it holds for a session, if there is one to let go of.
func (h *Handler) letGo(id string, caller auth.Caller) {
	if id == "" {
		return
	}
	ctx := withVisit(context.Background(), &visit{caller: caller, session: id})
	end, err := http.NewRequestWithContext(ctx, http.MethodDelete, h.PublicURL, http.NoBody)
	if err != nil {
		panic(err) // a URL that New has read
	}
	end.Header.Set(mcp.HeaderSessionID, id)
	h.next.ServeHTTP(newHeld(), end)
}

// Sweep forgets sessions that were left and streams that nobody comes back for.
func (h *Handler) Sweep(ctx context.Context) error {
	now := time.Now()
	return h.Sessions.DeleteStaleMCP(ctx, now.Add(-idleExpiry), now.Add(-keepStream))
}
