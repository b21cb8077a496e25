// Package fleet holds Switchboard's nouns and every operation on them: hosts, sessions, messages, prompts,
// transcripts, templates. An operation takes the Caller and reads top to bottom: may he, record it, do it. The
// MCP tools, the web pages and whatever else will ever act all enter here. It knows no SQL, no HTTP and no NATS
// client.
//
// What is recorded in the audit chain: every call that would change something, allowed or refused, and every call
// that reads what a session contains (transcript, screen, terminal, changes, search results, a wait that returns
// entries). Listings and the state of sessions, prompts, messages and hosts are not. The record is committed
// before anything else happens. A read that is allowed is recorded the first time and, while the same person goes
// on reading the same of the same session through the same client, every five minutes on each replica, so that
// who follows a session does not fill the record; a refused one is recorded each time. A machine with a bad join
// token has no caller; that is logged and not recorded, so that strangers cannot fill the record.
package fleet

import (
	"context"
	"log/slog"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/auth/seal"
	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/notify"
)

// Fleet carries out operations. Its fields are set once, before use.
type Fleet struct {
	Store      Store
	Audit      func(context.Context, audit.Event) error // appends to the audit chain; committed when it returns
	Hosts      dispatch.Hosts                           // commands out
	Changes    dispatch.Changes                         // tells who waits, on every replica, that a session has changed
	Webhooks   *notify.Webhooks                         // carries notices to who has subscribed
	Seal       seal.Box                                 // closes the webhooks' secrets
	Recordings Recordings                               // what is kept of them here
	PublicURL  string                                   // without a trailing slash; links in answers begin with it
	Log        *slog.Logger
	Now        func() time.Time

	reads         reads
	verifications auth.Limiter // of callback endpoints
	begun         auth.Limiter // of what hosts begin by themselves
}
