package mcphttp

import (
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
)

// adopted are the sessions that mcp-go in this process holds something for. It forgets those that are not used here,
// and of one owner's the least recently used beyond maxSessions: each can be adopted again.
type adopted struct {
	mu       sync.Mutex // guards the fields below
	sessions map[string]adoption
	used     map[principal][]string // ids of each, the least recently used first
}

// principal is whom a session belongs to. A person's other client is somebody else.
type principal struct {
	user   auth.UserID
	client string
}

func principalOf(caller auth.Caller) principal { return principal{caller.User, caller.ClientID} }

// adoption is one session's.
type adoption struct {
	owner principal
	done  chan struct{} // closed when mcp-go knows the session
}

// add notes that a session is in use. The first one to do so must see to its adoption, and then close done; the others
// wait for that. If that leaves its owner with too many, surplus is the one to let go of.
func (a *adopted) add(id string, owner principal) (done chan struct{}, first bool, surplus string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.sessions[id]
	if ok {
		a.use(id, known.owner)
		return known.done, false, ""
	}
	if a.sessions == nil {
		a.sessions, a.used = map[string]adoption{}, map[principal][]string{}
	}
	done = make(chan struct{})
	a.sessions[id] = adoption{owner, done}
	a.use(id, owner)
	if used := a.used[owner]; len(used) > maxSessions {
		surplus = used[0]
	}
	return done, true, surplus
}

// touch notes that a session is in use, if it is one of these.
func (a *adopted) touch(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.sessions[id]; ok {
		a.use(id, known.owner)
	}
}

// use puts a session behind its owner's others.
func (a *adopted) use(id string, owner principal) {
	a.used[owner] = append(without(a.used[owner], id), id)
}

func (a *adopted) remove(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.sessions[id]
	if !ok {
		return
	}
	delete(a.sessions, id)
	a.used[known.owner] = without(a.used[known.owner], id)
	if len(a.used[known.owner]) == 0 {
		delete(a.used, known.owner)
	}
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(ids, func(other string) bool { return other == id })
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
