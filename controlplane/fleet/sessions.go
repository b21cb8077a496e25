package fleet

import (
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
