package fleet

import (
	"context"
	"errors"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Session is one agent in one terminal on one host, as its host last said.
type Session struct {
	protocol.Session
	Handle     string // a name that a person can say: web-app_x7y8
	Host       protocol.HostID
	HostName   string
	HostOnline bool      // false: everything here is as last known
	HostAway   time.Time // since when, if not online
	CreatedBy  auth.UserID
	Creator    string
	Open       []Prompt // prompts that are not settled, oldest first

	StateSeq uint64 // the event up to which State is known
	Access   Access // of the caller who asked
}

// NewSession is what a caller asks for. Empty fields take the template's value, then the host's default.
type NewSession struct {
	Name           string
	Host           string // id or name; may be left out by who can use only one
	WorkingDir     string
	Template       string
	Agent          string
	PermissionMode string
	Message        string // sent when the agent is ready
	IdempotencyKey string
}

// SessionFilter narrows a listing.
type SessionFilter struct {
	Host   string // id or name
	State  protocol.State
	Cursor string
	Limit  int // 0: 50
}

// SessionPage is one page of a listing, those that live first, then newest first.
type SessionPage struct {
	Sessions []Session
	Next     string // cursor of the next page; empty at the end
}

// SessionStore keeps sessions.
type SessionStore interface {
	// VisibleSessions are those on hosts that the person owns or shares, with their open prompts, those that live
	// first, then newest first.
	VisibleSessions(ctx context.Context, user auth.UserID, q SessionQuery) ([]Session, error)
	// ResolveSession finds those among the person's that have this id, handle or name, in any case of letters.
	ResolveSession(ctx context.Context, user auth.UserID, ref string) ([]Session, error)
	// InsertSession keeps a session that its host does not have yet, unless its creator used the same key before:
	// then first is that session, and fresh is false. ErrConflict: the key belonged to another request;
	// ErrHandleTaken.
	InsertSession(ctx context.Context, s Session, key string, request []byte) (first protocol.SessionID, fresh bool, err error)
	// RemoveSession forgets one that its host refused, and so has never reported.
	RemoveSession(ctx context.Context, id protocol.SessionID) error
	// ProjectSession stores what a host says of its session, unless something newer is known already.
	ProjectSession(ctx context.Context, host protocol.HostID, s protocol.Session) error
}

// SessionQuery narrows VisibleSessions.
type SessionQuery struct {
	Host  protocol.HostID
	State protocol.State
	After *SessionPlace // the last of the page before
	Limit int
}

// SessionPlace is a session's place in a listing.
type SessionPlace struct {
	Exited    bool
	StartedAt time.Time
	ID        protocol.SessionID
}

// ErrHandleTaken says that another session has this handle.
var ErrHandleTaken = errors.New("handle is taken")
