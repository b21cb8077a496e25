// Package fleet holds Switchboard's nouns and every operation on them: hosts, sessions, messages, prompts,
// transcripts, templates. An operation takes the Caller and reads top to bottom: may he, record it, do it. The
// MCP tools, the web pages and whatever else will ever act all enter here. It knows no SQL, no HTTP and no NATS
// client.
package fleet

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"switchboard/auth/audit"
	"switchboard/controlplane/dispatch"
)

// Fleet carries out operations. Its fields are set once, before use.
type Fleet struct {
	Store     Store
	Audit     func(context.Context, audit.Event) error // appends to the audit chain, committed when it returns
	Hosts     dispatch.Hosts   // commands out
	Changes   dispatch.Changes // tells who waits, on every replica, that a session has changed
	PublicURL string           // without a trailing slash; links in answers begin with it
	Log       *slog.Logger
	Now       func() time.Time
}

// The errors an edge turns into answers, beside auth.ErrNotFound, auth.ErrForbidden and *protocol.Error. Each is
// wrapped in a sentence for people.
var (
	ErrInvalid     = errors.New("invalid")     // the request is wrong; the message names the field
	ErrConflict    = errors.New("conflict")    // not in this state: exited, a prompt is open, settled already
	ErrUnavailable = errors.New("unavailable") // host away, or a store that cannot be reached; try again
	ErrUnknown     = errors.New("unknown")     // sent, but the answer did not come: the outcome must be looked up
)
