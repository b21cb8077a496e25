package fleet_test

import (
	"errors"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// Who follows a session leaves a record every five minutes, and not one for each look.
func TestRepeatedReadIsRecordedNowAndThen(t *testing.T) {
	w := newWorld(t)
	alice, mallory := w.person("alice", auth.RoleMember), w.person("mallory", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s, other := w.session(alice, h, "web-app"), w.session(alice, h, "api")
	at := time.Now()
	w.Now = func() time.Time { return at }
	read := func(c auth.Caller, ref string) func() error {
		return func() error {
			_, err := w.Transcript(t.Context(), c, ref, "", 0)
			return err
		}
	}
	elsewhere := alice
	elsewhere.ClientID = "claude"
	steps := []struct {
		name   string
		after  time.Duration
		do     func() error
		action string
		more   [2]int // records, allowed and refused
	}{
		{"the first", 0, read(alice, s.Handle), "session.read_transcript", [2]int{1, 0}},
		{"a repeat by another name", time.Minute, read(alice, string(s.ID)), "session.read_transcript", [2]int{}},
		{"of another session", 0, read(alice, other.Handle), "session.read_transcript", [2]int{1, 0}},
		{"through another client", 0, read(elsewhere, s.Handle), "session.read_transcript", [2]int{1, 0}},
		{"of something else", 0, func() error {
			_, _, err := w.Screen(t.Context(), alice, s.Handle)
			return err
		}, "session.read_screen", [2]int{1, 0}},
		{"refused", 0, read(mallory, s.Handle), "session.read_transcript", [2]int{0, 1}},
		{"refused again", 0, read(mallory, s.Handle), "session.read_transcript", [2]int{0, 1}},
		{"a repeat after five minutes", 4 * time.Minute, read(alice, s.Handle), "session.read_transcript", [2]int{1, 0}},
		{"an act", 0, func() error { _, err := w.InterruptSession(t.Context(), alice, s.Handle); return err },
			"session.interrupt", [2]int{1, 0}},
		{"the same act", 0, func() error { _, err := w.InterruptSession(t.Context(), alice, s.Handle); return err },
			"session.interrupt", [2]int{1, 0}},
	}
	for _, step := range steps {
		at = at.Add(step.after)
		allowed, refused := w.audited(step.action)
		err := step.do()
		if want := step.more[1] == 0; (err == nil) != want {
			t.Fatalf("%s: error %v", step.name, err)
		}
		gotAllowed, gotRefused := w.audited(step.action)
		if got := [2]int{gotAllowed - allowed, gotRefused - refused}; got != step.more {
			t.Errorf("%s: %v more records, want %v", step.name, got, step.more)
		}
	}
}

// A read whose record was not written is not taken for recorded.
func TestReadIsRememberedWhenItsRecordIsWritten(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	s := w.session(alice, w.newHost(alice, "mac-1"), "web-app")
	rename := func(from, to string) {
		t.Helper()
		if _, err := w.sql.Exec(t.Context(), `ALTER TABLE `+from+` RENAME TO `+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("audit_events", "elsewhere")
	for range 2 {
		if _, err := w.Transcript(t.Context(), alice, s.Handle, "", 0); !errors.Is(err, fleet.ErrUnavailable) {
			t.Errorf("without a record: error %v, want unavailable", err)
		}
	}
	rename("elsewhere", "audit_events")
	must(w.Transcript(t.Context(), alice, s.Handle, "", 0))(t)
	if allowed, _ := w.audited("session.read_transcript"); allowed != 1 {
		t.Errorf("%d records, want 1", allowed)
	}
}
