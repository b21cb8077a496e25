package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// TestWhoIsAsked asks only who may act, and only for what is at stake; and the asking itself is on record.
func TestWhoIsAsked(t *testing.T) {
	w := newWorld(t)
	alice, viewer, stranger := w.person("alice", auth.RoleMember), w.person("vera", auth.RoleMember), w.person("sam", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, viewer, fleet.AccessViewer)
	s := w.session(alice, h, "web-app")
	h.is(s.ID, protocol.StateWorking)
	narrow := alice
	narrow.Scopes = auth.Scopes{auth.ScopeSessionsRead}
	for _, test := range []struct {
		name   string
		caller auth.Caller
		want   error
	}{
		{"without the right", viewer, auth.ErrForbidden},
		{"without the scope", narrow, auth.ErrForbidden},
		{"a stranger", stranger, auth.ErrNotFound},
	} {
		_, err := fleet.Acting{Fleet: w.Fleet, CanAsk: true}.TerminateSession(t.Context(), test.caller, s.Handle, false)
		var question *fleet.Question
		if errors.As(err, &question) || !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	_, before := w.audited("session.terminate")
	_, err := fleet.Acting{Fleet: w.Fleet, CanAsk: true}.TerminateSession(t.Context(), alice, s.Handle, true)
	var question *fleet.Question
	if !errors.As(err, &question) || question.Session.ID != s.ID || question.Stake == "" || !fleet.ForPeople(err) {
		t.Fatalf("the owner: %v, want a question", err)
	}
	if allowed, refused := w.audited("session.terminate"); allowed != 0 || refused != before+1 {
		t.Errorf("%d allowed and %d refused are on record, want 0 and %d", allowed, refused, before+1)
	}
	if n := h.count("terminate_session"); n != 0 {
		t.Errorf("the host was told %d times", n)
	}

	h.offline()
	if _, err := (fleet.Acting{Fleet: w.Fleet, CanAsk: true}).TerminateSession(t.Context(), alice, s.Handle, false); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("on a host that is away: %v, want unavailable", err)
	}
	h.online()
	h.is(s.ID, protocol.StateIdle)
	if _, err := (fleet.Acting{Fleet: w.Fleet, CanAsk: true}).TerminateSession(t.Context(), alice, s.Handle, false); err != nil {
		t.Errorf("one that does nothing: %v", err)
	}
}

// unrecorded is a store that takes no answer.
type unrecorded struct{ fleet.Store }

func (unrecorded) RecordAnswered(context.Context, audit.Event, fleet.Answer) error {
	return errors.New("no answer can be recorded")
}

// TestAnswerThatCannotBeRecorded does nothing, since nobody could say that it was used.
func TestAnswerThatCannotBeRecorded(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	acting := fleet.Acting{Fleet: w.Fleet, CanAsk: true, Answer: fleet.Answer{ID: "one", Expires: time.Now().Add(time.Minute)}}
	w.Store = unrecorded{w.Store}
	if _, err := acting.InterruptSession(t.Context(), alice, s.Handle); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("error %v, want unavailable", err)
	}
	if n := h.count("interrupt_session"); n != 0 {
		t.Errorf("the host was told %d times", n)
	}
}
