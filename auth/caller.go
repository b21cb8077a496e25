package auth

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Caller is who is asking: a person, through a client, from somewhere, with scopes. It is a parameter of every
// operation in fleet, so that nothing can be done in nobody's name.
type Caller struct {
	User     UserID
	UserName string
	Role     Role
	ClientID string // of the OAuth client; "web" for the pages
	Client   string // its name, for people
	Grant    GrantID
	Scopes   Scopes
	Addr     string // the peer's IP address
	// ProvedAt is when the person last proved at this browser who he is; zero for a client.
	ProvedAt time.Time
}

// The names of things.
type (
	UserID  string
	GrantID string
)

// Role is what a person may do beside using what is his or shared with him.
type Role string

// The roles. An administrator manages people, hosts and clients, but does not thereby read sessions.
const (
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

// Scope is one thing that a client may be allowed to do in its user's name.
type Scope string

// The scopes. ScopeOffline only asks for a refresh token.
const (
	ScopeSessionsRead  Scope = "sessions:read"
	ScopeSessionsWrite Scope = "sessions:write"
	ScopePromptsAnswer Scope = "prompts:answer"
	ScopeHostsRead     Scope = "hosts:read"
	ScopeOffline       Scope = "offline_access"
)

// ScopeManage is what only the web pages hold: registering hosts, inviting people, ending grants. No client can
// be given it.
const ScopeManage Scope = "manage"

// ScopeHostsEnroll lets the host agent make the one machine that a person allowed it a host of his. Only that
// client can be given it, and for another resource than the others; so it opens nothing else.
const ScopeHostsEnroll Scope = "hosts:enroll"

// AllScopes are those that a client may ask for, in the order in which a person is shown them.
func AllScopes() Scopes {
	return Scopes{ScopeSessionsRead, ScopeSessionsWrite, ScopePromptsAnswer, ScopeHostsRead, ScopeOffline}
}

// Words says what a scope allows, for the consent page.
func (s Scope) Words() string {
	switch s {
	case ScopeSessionsRead:
		return "See sessions, their transcripts, screens and changes"
	case ScopeSessionsWrite:
		return "Start, message, interrupt and end sessions: this runs commands on your hosts"
	case ScopePromptsAnswer:
		return "Answer an agent's questions and permission prompts"
	case ScopeHostsRead:
		return "See hosts and whether they are online"
	case ScopeHostsEnroll:
		return "Make one machine a host of yours"
	case ScopeOffline:
		return "Stay connected until you revoke it"
	}
	return string(s)
}

// Scopes is a set of scopes.
type Scopes []Scope

// ParseScopes reads a space-separated list (RFC 6749 section 3.3).
func ParseScopes(s string) Scopes {
	var scopes Scopes
	for _, word := range strings.Fields(s) {
		if !slices.Contains(scopes, Scope(word)) {
			scopes = append(scopes, Scope(word))
		}
	}
	return scopes
}

// Has reports whether scope is in the set.
func (s Scopes) Has(scope Scope) bool { return slices.Contains(s, scope) }

func (s Scopes) String() string {
	words := make([]string, len(s))
	for i, scope := range s {
		words[i] = string(scope)
	}
	return strings.Join(words, " ")
}

// The errors that operations return and edges turn into answers. ErrNotFound does not tell what exists from
// what is forbidden.
var (
	ErrNotFound  = errors.New("not found")
	ErrForbidden = errors.New("not allowed")
)

// ScopeError says which scope a call needed. It matches ErrForbidden.
type ScopeError struct{ Needed Scope }

func (e *ScopeError) Error() string { return "needs the scope " + string(e.Needed) }

// Is makes errors.Is(err, ErrForbidden) true.
func (e *ScopeError) Is(target error) bool { return target == ErrForbidden }
