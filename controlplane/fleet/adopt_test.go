package fleet_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// adopted is a session that a host has begun by itself.
func adopted(id protocol.SessionID) protocol.AdoptSessionRequest {
	return protocol.AdoptSessionRequest{Session: protocol.Session{
		ID: id, Name: "My app/2\x00", Agent: "claude", WorkingDir: "/home/alice/my app", PermissionMode: "manual",
		State: protocol.StateIdle, Evidence: "status file", StateAt: time.Now(), StartedAt: time.Now(), LastSeq: 9, Adopted: true,
	}}
}

// TestAdoptedSession: it is the host owner's, once, whoever else may operate the host, and goes on as any other.
func TestAdoptedSession(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h, other := w.newHost(alice, "studio"), w.newHost(bob, "laptop")
	id := protocol.NewSessionID()
	for range 2 { // a repeat changes nothing
		must(report(h, protocol.AdoptSession, adopted(id)))(t)
	}
	h.is(id, protocol.StateIdle)
	got := must(w.Session(t.Context(), alice, string(id)))(t)
	if got.CreatedBy != alice.User || got.Name != "My-app-2" || got.State != protocol.StateIdle || got.Handle == "" {
		t.Errorf("adopted as %+v", got)
	}
	if allowed, refused := w.audited("session.adopt"); allowed != 1 || refused != 0 {
		t.Errorf("recorded %d times, refused %d times", allowed, refused)
	}
	if _, err := w.Session(t.Context(), bob, string(id)); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("somebody else sees it: %v", err)
	}
	if _, err := w.TerminateSession(t.Context(), alice, got.Handle, false); err != nil || h.count(protocol.TerminateSession.Name) != 1 {
		t.Errorf("not to be ended: %v", err)
	}

	// Another host cannot take it away, nor say anything of it.
	if _, err := report(other, protocol.AdoptSession, adopted(id)); code(err) != protocol.CodeNotFound {
		t.Errorf("another host adopts it: %v", err)
	}
	for _, bad := range []protocol.SessionID{"", "../../etc", "--help"} {
		if _, err := report(h, protocol.AdoptSession, adopted(bad)); code(err) != protocol.CodeInvalid {
			t.Errorf("session %q is adopted: %v", bad, err)
		}
	}
	if err := w.RemoveHost(t.Context(), alice, "studio"); err != nil {
		t.Fatal(err)
	}
	if _, err := report(h, protocol.AdoptSession, adopted(protocol.NewSessionID())); code(err) != protocol.CodeNotFound {
		t.Errorf("a removed host adopts: %v", err)
	}
	page := must(w.ListSessions(t.Context(), bob, fleet.SessionFilter{}))(t)
	if slices.ContainsFunc(page.Sessions, func(s fleet.Session) bool { return s.ID == id }) {
		t.Error("it is listed for another person")
	}
}

// TestRevivalIsRecorded: what a host's policy resumes stands in the audit log as its owner's.
func TestRevivalIsRecorded(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h, other := w.newHost(alice, "studio"), w.newHost(bob, "laptop")
	session := w.session(alice, h, "web-app")
	revived := protocol.Session{ID: session.ID, State: protocol.StateStarting, Evidence: "resumed", StateAt: time.Now(), ByPolicy: true}
	h.say(session.ID, protocol.EventSession, revived)
	revived.State = protocol.StateIdle
	h.say(session.ID, protocol.EventSession, revived)
	if allowed, refused := w.audited("session.resume"); allowed != 1 || refused != 0 {
		t.Errorf("recorded %d times, refused %d times", allowed, refused)
	}
	revived.State = protocol.StateStarting
	event := protocol.NewEvent(time.Now(), protocol.EventSession, revived)
	event.Seq = 1
	_, err := report(other, protocol.Events, protocol.EventsRequest{Session: session.ID, Events: []protocol.Event{event}})
	if allowed, _ := w.audited("session.resume"); code(err) != protocol.CodeNotFound || allowed != 1 {
		t.Errorf("another host resumes it: %v, recorded %d times", err, allowed)
	}
}

func code(err error) protocol.Code {
	var refused *protocol.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}
