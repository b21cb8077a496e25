package mcphttp

import (
	"crypto/rand"
	"errors"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
)

// sessions are the Mcp-Session-Ids of clients that speak a version before 2026-07-28, and whose each is. To anybody
// else, through any verb, a session does not exist. They live in this process: behind several replicas a client
// that comes to another one gets 404 and initializes again, as the protocol has it.
type sessions struct {
	mu    sync.Mutex // guards the fields below
	owner map[string]principal
	used  map[principal][]string // ids of each, the least recently used first
}

// principal is whom a session belongs to. A person's other client is somebody else.
type principal struct {
	user   auth.UserID
	client string
}

func principalOf(caller auth.Caller) principal {
	return principal{user: caller.User, client: caller.ClientID}
}

func newSessions() *sessions {
	return &sessions{owner: map[string]principal{}, used: map[principal][]string{}}
}

// open makes a session of 130 random bits.
func (s *sessions) open(owner principal) string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner[id] = owner
	s.used[owner] = append(s.used[owner], id)
	return id
}

// touch reports whether the session is the caller's, and notes that it is in use.
func (s *sessions) touch(id string, caller auth.Caller) bool {
	owner := principalOf(caller)
	s.mu.Lock()
	defer s.mu.Unlock()
	if of, ok := s.owner[id]; !ok || of != owner {
		return false
	}
	s.used[owner] = append(without(s.used[owner], id), id)
	return true
}

func (s *sessions) close(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, ok := s.owner[id]
	if !ok {
		return
	}
	delete(s.owner, id)
	s.used[owner] = without(s.used[owner], id)
	if len(s.used[owner]) == 0 {
		delete(s.used, owner)
	}
}

// surplus is the session that has to go before the caller opens another one; empty if none.
func (s *sessions) surplus(caller auth.Caller) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.used[principalOf(caller)]
	if len(ids) < maxSessions {
		return ""
	}
	return ids[0]
}

func without(ids []string, id string) []string {
	kept := ids[:0]
	for _, other := range ids {
		if other != id {
			kept = append(kept, other)
		}
	}
	return kept
}

// makeRoom ends a session in mcp-go's own way, so that it frees what it holds for it.
func (h *Handler) makeRoom(r *http.Request, caller auth.Caller) {
	id := h.sessions.surplus(caller)
	if id == "" {
		return
	}
	end := r.Clone(r.Context())
	end.Method = http.MethodDelete
	end.Body = http.NoBody
	end.Header = http.Header{mcp.HeaderSessionID: {id}}
	h.next.ServeHTTP(newHeld(), end)
}

// ResolveSessionIdManager gives mcp-go the sessions of whoever sent the request. Its sweeper of idle sessions asks
// without a request.
func (s *sessions) ResolveSessionIdManager(r *http.Request) server.SessionIdManager {
	if r == nil {
		return ownSessions{sessions: s}
	}
	caller, _ := CallerFrom(r.Context())
	return ownSessions{sessions: s, caller: caller}
}

// ownSessions are one caller's.
type ownSessions struct {
	sessions *sessions
	caller   auth.Caller
}

// Generate opens a session.
func (o ownSessions) Generate() string { return o.sessions.open(principalOf(o.caller)) }

// Validate accepts no id at all: such a request is served without a session, as ChatGPT sends tools/call.
func (o ownSessions) Validate(id string) (terminated bool, err error) {
	if id != "" && !o.sessions.touch(id, o.caller) {
		return false, errors.New("no such session")
	}
	return false, nil
}

// Terminate closes a session.
func (o ownSessions) Terminate(id string) (notAllowed bool, err error) {
	o.sessions.close(id)
	return false, nil
}
