package mcphttp

import (
	"errors"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/server"
)

// adopted are the sessions that mcp-go in this process holds something for. It forgets those that are not used here.
type adopted struct {
	mu  sync.Mutex // guards the field below
	ids map[string]bool
}

// add reports whether the session is new here.
func (a *adopted) add(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids[id] {
		return false
	}
	if a.ids == nil {
		a.ids = map[string]bool{}
	}
	a.ids[id] = true
	return true
}

func (a *adopted) remove(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.ids, id)
}

// ResolveSessionIdManager tells mcp-go what was found out about the request's session before it came there. Its
// sweeper of idle sessions asks without a request.
func (a *adopted) ResolveSessionIdManager(r *http.Request) server.SessionIdManager {
	if r == nil {
		return sessionIDs{adopted: a, visit: &visit{}}
	}
	return sessionIDs{adopted: a, visit: visitOf(r.Context())}
}

// sessionIDs are those that mcp-go may take from one request.
type sessionIDs struct {
	adopted *adopted
	visit   *visit
}

// Generate is the session that this request opens.
func (s sessionIDs) Generate() string { return s.visit.opening }

// Validate accepts no id at all: such a request is served without a session, as ChatGPT sends tools/call.
func (s sessionIDs) Validate(id string) (terminated bool, err error) {
	if id != s.visit.session {
		return false, errors.New("no such session")
	}
	return false, nil
}

// Terminate notes that mcp-go here lets go of a session. It lives on for the other replicas: whoever ends it for good
// has done so before.
func (s sessionIDs) Terminate(id string) (notAllowed bool, err error) {
	s.adopted.remove(id)
	return false, nil
}
