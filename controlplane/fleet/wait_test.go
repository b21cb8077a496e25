package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestWaitForSession(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	tests := []struct {
		until  fleet.Until
		happen func(s protocol.SessionID)
	}{
		{fleet.UntilChange, func(s protocol.SessionID) { h.said(s, "hello") }},
		{fleet.UntilIdle, func(s protocol.SessionID) { h.is(s, protocol.StateIdle) }},
		{fleet.UntilPrompt, func(s protocol.SessionID) { h.asks(s) }},
		{fleet.UntilExited, func(s protocol.SessionID) { h.is(s, protocol.StateExited) }},
		{fleet.UntilAttention, func(s protocol.SessionID) { h.asks(s) }},
	}
	for _, test := range tests {
		t.Run(string(test.until), func(t *testing.T) {
			s := w.session(alice, h, "web-app-"+string(test.until))
			h.is(s.ID, protocol.StateWorking)
			known := must(w.Session(t.Context(), alice, s.Handle))(t).Cursor()
			still := must(w.WaitForSession(t.Context(), alice, fleet.WaitFor{
				Session: s.Handle, Until: test.until, Timeout: time.Millisecond, Cursor: known,
			}))(t)
			if still.Reached {
				t.Error("reached before it happened")
			}
			var group sync.WaitGroup
			group.Go(func() { test.happen(s.ID) })
			got := must(w.WaitForSession(t.Context(), alice, fleet.WaitFor{Session: s.Handle, Until: test.until, Cursor: known}))(t)
			group.Wait()
			if !got.Reached || len(got.Sessions) != 1 || got.Sessions[0].ID != s.ID {
				t.Errorf("waited: %+v", got)
			}
		})
	}
}

// What a session was before it got a message is not what who sent it waits for.
func TestIdleIsNewerThanTheMessage(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := must(w.CreateSession(t.Context(), alice, fleet.NewSession{Name: "web-app", Message: "run the tests"}))(t)
	reached := func(until fleet.Until) bool {
		t.Helper()
		return must(w.WaitForSession(t.Context(), alice, fleet.WaitFor{Session: s.Handle, Until: until, Timeout: 1}))(t).Reached
	}
	wantBusy := func(when string) {
		t.Helper()
		for _, until := range []fleet.Until{fleet.UntilIdle, fleet.UntilAttention} {
			if reached(until) {
				t.Errorf("%s: %s is reached", when, until)
			}
		}
	}
	var first protocol.MessageID
	if err := w.sql.QueryRow(t.Context(), `SELECT id FROM messages`).Scan(&first); err != nil {
		t.Fatal(err)
	}
	h.is(s.ID, protocol.StateIdle)
	wantBusy("ready, with the first message delivered")
	h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: first, Status: protocol.MessageAccepted})
	wantBusy("the first message is accepted, and nothing done yet")
	h.is(s.ID, protocol.StateWorking)
	h.is(s.ID, protocol.StateIdle)
	if !reached(fleet.UntilIdle) || !reached(fleet.UntilAttention) {
		t.Error("not idle when the agent is done")
	}

	known := must(w.WaitForSession(t.Context(), alice, fleet.WaitFor{Until: fleet.UntilIdle, Timeout: 1}))(t).Cursor
	second := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "once more"}))(t)
	wantBusy("a second message is delivered")
	any := fleet.WaitFor{Until: fleet.UntilIdle, Timeout: 1, Cursor: known}
	if must(w.WaitForSession(t.Context(), alice, any))(t).Reached {
		t.Error("a second message is delivered: any session is idle")
	}
	w.Now = func() time.Time { return time.Now().Add(70 * time.Second) }
	if err := w.db.RecordHeartbeat(t.Context(), h.ID, w.Now()); err != nil {
		t.Fatal(err)
	}
	if !reached(fleet.UntilIdle) {
		t.Error("a message that the agent does not take keeps people waiting for ever")
	}
	w.Now = time.Now
	h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: second.ID, Status: protocol.MessageNotConfirmed})
	if !reached(fleet.UntilIdle) {
		t.Error("not idle after a message of which nothing more is expected")
	}
}

// A reader who goes on from each answer's cursor sees every entry once, however they fall.
func TestWaitMissesNothing(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	const all = 200
	var group sync.WaitGroup
	group.Go(func() {
		for i := range all {
			h.said(s.ID, fmt.Sprint(i))
		}
	})
	defer group.Wait()
	cursor, seen := "0", 0
	for seen < all {
		waited, err := w.WaitForSession(t.Context(), alice, fleet.WaitFor{Session: s.Handle, Until: fleet.UntilChange, Cursor: cursor})
		if err != nil || !waited.Reached {
			t.Fatalf("reached %v, error %v after %d entries", waited.Reached, err, seen)
		}
		for _, e := range waited.Entries {
			if e.Text != fmt.Sprint(seen) {
				t.Fatalf("entry %q, want %d", e.Text, seen)
			}
			seen++
		}
		cursor = waited.Cursor
	}
}

func TestWaitForAnySession(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h, foreign := w.newHost(alice, "mac-1"), w.newHost(bob, "mac-2")
	s, other := w.session(alice, h, "web-app"), w.session(alice, h, "api")
	theirs := w.session(bob, foreign, "secret")
	h.is(s.ID, protocol.StateWorking)
	h.is(other.ID, protocol.StateIdle)
	wait := func(cursor string, timeout time.Duration) fleet.Waited {
		t.Helper()
		return must(w.WaitForSession(t.Context(), alice, fleet.WaitFor{Until: fleet.UntilAttention, Timeout: timeout, Cursor: cursor}))(t)
	}
	first := wait("", time.Millisecond)
	if first.Reached {
		t.Errorf("nobody waits for anything, and yet: %+v", first.Sessions)
	}
	foreign.asks(theirs.ID)
	if again := wait(first.Cursor, time.Millisecond); again.Reached {
		t.Errorf("another person's prompt is told: %+v", again.Sessions)
	}
	h.asks(s.ID)
	second := wait(first.Cursor, 0)
	if !second.Reached || len(second.Sessions) != 1 || second.Sessions[0].ID != s.ID {
		t.Errorf("after a prompt: %+v", second)
	}
	if again := wait(second.Cursor, time.Millisecond); again.Reached {
		t.Errorf("told twice: %+v", again.Sessions)
	}
	if open := wait("", 0); !open.Reached {
		t.Error("who knows nothing yet does not hear of the open prompt")
	}
	h.is(s.ID, protocol.StateExited)
	if third := wait(second.Cursor, 0); !third.Reached || third.Sessions[0].ID != s.ID {
		t.Errorf("after the exit: %+v", third)
	}
}

func TestWaitEndsWithItsRequest(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	ctx, hangUp := context.WithCancel(t.Context())
	w.Audit = hangUpAfter(w.Audit, hangUp)
	if _, err := w.WaitForSession(ctx, alice, fleet.WaitFor{Session: s.Handle, Until: fleet.UntilExited}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the request is gone", err)
	}
}

// Who loses the right while he waits hears nothing more.
func TestWaitEndsWithTheRight(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, bob, fleet.AccessViewer)
	s := w.session(alice, h, "web-app")
	var group sync.WaitGroup
	defer group.Wait()
	record := w.Audit
	w.Audit = hangUpAfter(record, func() {
		group.Go(func() {
			if err := w.db.SetShare(t.Context(), h.ID, bob.User, fleet.AccessNone); err != nil {
				t.Error(err)
			}
		})
	})
	_, err := w.WaitForSession(t.Context(), bob, fleet.WaitFor{Session: s.Handle, Until: fleet.UntilExited})
	if !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("error %v, want not found", err)
	}
}

func TestWaitIsRefused(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	tests := []fleet.WaitFor{
		{Until: "whenever"},
		{Until: fleet.UntilIdle, Timeout: -1},
		{Until: fleet.UntilIdle, Timeout: time.Minute},
		{Until: fleet.UntilIdle, Cursor: "12"},
		{Until: fleet.UntilIdle, Cursor: "a12345"},
		{Until: fleet.UntilIdle, Session: s.Handle, Cursor: "-1"},
		{Until: fleet.UntilIdle, Session: s.Handle, Cursor: "1.xyz"},
		{Until: fleet.UntilIdle, Session: s.Handle, Cursor: "99999999999999999999"},
	}
	for _, test := range tests {
		if _, err := w.WaitForSession(t.Context(), alice, test); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%+v: error %v, want invalid", test, err)
		}
	}
}
