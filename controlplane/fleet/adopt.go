package fleet

import (
	"context"
	"fmt"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/hostagent/protocol"
)

// hostBegins bounds what a host can put into the audit log by beginning sessions by itself: as many as may live on it at
// once, and then some.
var hostBegins = auth.Rate{PerSecond: 0.1, Burst: 250}

// RecordAdoption stores a session that nobody asked for here: the owner of the host took over a conversation that he had
// begun in a terminal. Whoever runs the host agent is its owner, so it is his, and recorded as what he did.
func (f *Fleet) RecordAdoption(ctx context.Context, host protocol.HostID, r protocol.AdoptSessionRequest) (protocol.Nothing, error) {
	said := known(clean(r).Session)
	if _, err := protocol.ParseSessionID(string(said.ID)); err != nil {
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeInvalid, "adoption: %v", err)
	}
	owner, name, there, err := f.Store.HostOwner(ctx, host, said.ID)
	if err != nil || there {
		return protocol.Nothing{}, toHost(err, "session "+string(said.ID))
	}
	if owner == "" {
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeUnavailable, "this host has no owner yet, whose the session would be")
	}
	err = f.recordHost(ctx, auth.Caller{User: owner, UserName: name}, audit.Event{
		Action: "session.adopt", Host: string(host), Session: string(said.ID),
		Detail: map[string]string{"working_dir": said.WorkingDir[:min(len(said.WorkingDir), maxPath)], "permission_mode": limit(said.PermissionMode)},
	})
	if err != nil {
		return protocol.Nothing{}, err
	}
	session := Session{Session: said, Host: host, CreatedBy: owner}
	session.Name = sessionName(NewSession{Name: said.Name, WorkingDir: said.WorkingDir})
	session.State, session.Evidence = protocol.StateStarting, "adopted" // its events tell the rest
	if _, _, err := f.insertSession(ctx, session, "", []byte{}); err != nil {
		return protocol.Nothing{}, fmt.Errorf("keep an adopted session: %w", err)
	}
	f.Changes.Publish(host, said.ID)
	return protocol.Nothing{}, nil
}

// recordRevival records that a host's policy has resumed a session, before that is shown to anybody. If a host has to
// repeat what it said, so is the record.
func (f *Fleet) recordRevival(ctx context.Context, host protocol.HostID, id protocol.SessionID) error {
	owner, name, there, err := f.Store.HostOwner(ctx, host, id)
	if err != nil || !there {
		return toHost(err, "session "+string(id))
	}
	return f.recordHost(ctx, auth.Caller{User: owner, UserName: name}, audit.Event{
		Action: "session.resume", Host: string(host), Session: string(id), Detail: map[string]string{"by": "the host's policy"},
	})
}

// recordHost records what a host has begun by itself, as its owner has it.
func (f *Fleet) recordHost(ctx context.Context, owner auth.Caller, event audit.Event) error {
	if wait := f.begun.Take(event.Host, hostBegins, f.Now()); wait > 0 {
		return protocol.Errorf(protocol.CodeUnavailable, "this host begins too much by itself; try again in %s", wait.Round(time.Second))
	}
	owner.Client = "host agent"
	return f.record(ctx, owner, event, nil)
}
