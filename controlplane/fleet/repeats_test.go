package fleet_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// A key whose first message certainly did nothing sends again, once, however many repeats come at the same time.
func TestRepeatOfAMessageThatDidNothing(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	tests := []struct {
		name string
		fail func(h *host)
		mend func(h *host)
	}{
		{"refused", func(h *host) { h.setRefuse(protocol.Errorf(protocol.CodeConflict, "a prompt is open")) }, func(h *host) { h.setRefuse(nil) }},
		{"host away", (*host).offline, func(h *host) { h.online(); h.hello() }},
		{"taken back", func(h *host) { h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full")) },
			func(h *host) { h.setRefuse(nil); w.reconcile(t) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := w.newHost(alice, "mac-"+protocol.NewID()[:8])
			s := w.session(alice, h, "web-app")
			key := "key-" + test.name
			test.fail(h)
			failed, _ := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "deploy", IdempotencyKey: key}) // whatever it answers
			test.mend(h)
			before := h.count("send_message")
			sent := together(t, 64, func() (string, error) {
				m, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "deploy", IdempotencyKey: key})
				return string(m.ID), err
			})
			if n := h.count("send_message") - before; n != 1 || sent == string(failed.ID) {
				t.Errorf("64 repeats told the host %d times, and are message %s; the failed one was %s", n, sent, failed.ID)
			}
			if _, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "another", IdempotencyKey: key}); !errors.Is(err, fleet.ErrConflict) {
				t.Errorf("another text: error %v, want conflict", err)
			}
		})
	}
}

// A key whose session certainly was not started starts one, once. One that may have been started is the first.
func TestRepeatOfASessionThatWasNotStarted(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	refuse := func(code protocol.Code) func(*host) {
		return func(h *host) { h.setRefuse(protocol.Errorf(code, "not now")) }
	}
	only := func(h *host) (id protocol.SessionID) {
		if err := w.sql.QueryRow(t.Context(), `SELECT id FROM sessions WHERE host_id = $1`, h.ID).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	tests := []struct {
		name    string
		fail    func(h *host)
		mend    func(h *host)
		started int // by the repeats
	}{
		{"refused", refuse(protocol.CodeRefused), func(h *host) { h.setRefuse(nil) }, 1},
		{"host away", (*host).offline, func(h *host) { h.online(); h.hello() }, 1},
		{"taken back", refuse(protocol.CodeInternal), func(h *host) { h.setRefuse(nil); w.reconcile(t) }, 1},
		{"started, and not told", func(h *host) { h.setGarbled(true) }, func(h *host) { h.setGarbled(false); w.reconcile(t); h.is(only(h), protocol.StateIdle) }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := w.newHost(alice, "mac-"+protocol.NewID()[:8])
			ask := fleet.NewSession{Host: string(h.ID), Name: "web-app", IdempotencyKey: "key-" + test.name}
			test.fail(h)
			if _, err := w.CreateSession(t.Context(), alice, ask); err == nil {
				t.Fatal("a session was started")
			}
			test.mend(h)
			before := h.count("create_session")
			together(t, 64, func() (string, error) {
				s, err := w.CreateSession(t.Context(), alice, ask)
				return string(s.ID), err
			})
			if n := h.count("create_session") - before; n != test.started {
				t.Errorf("64 repeats told the host %d times, want %d", n, test.started)
			}
		})
	}
}

// A repeat does not say that a session was started as long as nobody knows.
func TestRepeatOfASessionOfUnknownFate(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	ask := fleet.NewSession{Name: "web-app", IdempotencyKey: "k"}
	h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full"))
	if _, err := w.CreateSession(t.Context(), alice, ask); err == nil {
		t.Fatal("a session was started")
	}
	h.setRefuse(nil)
	if _, err := w.CreateSession(t.Context(), alice, ask); !errors.Is(err, fleet.ErrUnknown) || h.count("create_session") != 1 {
		t.Errorf("error %v, and the host was told %d times; want unknown and once", err, h.count("create_session"))
	}
	w.reconcile(t)
	if _, err := w.CreateSession(t.Context(), alice, ask); err != nil {
		t.Errorf("once it is known that none was started: %v", err)
	}
}

// together does the same many times at once, and returns what all of them came to.
func together(t *testing.T, times int, do func() (string, error)) string {
	t.Helper()
	results := make([]string, times)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			var err error
			if results[i], err = do(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, result := range results {
		if result != results[0] {
			t.Errorf("two results: %s and %s", result, results[0])
		}
	}
	return results[0]
}

// The start of a session that nobody heard of is found to be what it is, by a replica that did not ask for it.
func TestReconcileStarts(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	lost := func(age time.Duration) protocol.SessionID {
		id := protocol.NewSessionID()
		_, err := w.sql.Exec(t.Context(), `
			INSERT INTO sessions (id, host_id, handle, name, created_by, agent, working_dir, permission_mode, state, evidence, state_at, started_at)
			VALUES ($1, $2, $1, 'web-app', $3, '', '', '', 'starting', 'requested', now(), $4)`, id, h.ID, alice.User, time.Now().Add(-age))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	tests := []struct {
		name  string
		age   time.Duration
		says  *protocol.Error
		write bool // somebody has written to it
		want  protocol.State
	}{
		{"under way", time.Second, nil, false, protocol.StateStarting},
		{"never heard of", time.Minute, nil, false, ""},
		{"with a message", time.Minute, nil, true, protocol.StateExited},
		{"host that does not know the command", time.Minute, protocol.Errorf(protocol.CodeInvalid, "not known"), false, protocol.StateStarting},
		{"that, and long ago", 6 * time.Minute, protocol.Errorf(protocol.CodeInvalid, "not known"), false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id := lost(test.age)
			if test.write {
				h.setRefuse(protocol.Errorf(protocol.CodeNotFound, "no session"))
				if _, err := w.SendMessage(t.Context(), alice, string(id), fleet.NewMessage{Text: "hello"}); err == nil {
					t.Fatal("a message was sent")
				}
			}
			h.setRefuse(test.says)
			if err := w.ReconcileOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			s, err := w.Session(t.Context(), alice, string(id))
			if gone := errors.Is(err, auth.ErrNotFound); gone != (test.want == "") || s.State != test.want {
				t.Errorf("the session is %q (%v), want %q", s.State, err, test.want)
			}
		})
	}
}
