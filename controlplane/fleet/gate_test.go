package fleet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// operations are all that can be done with a session, and what they are recorded as.
var operations = []struct {
	name   string
	action string // empty: not recorded
	acts   bool   // an operator's, not a viewer's
	do     func(w *world, c auth.Caller, ref string) error
}{
	{"session", "", false, func(w *world, c auth.Caller, ref string) error {
		_, err := w.Session(w.t.Context(), c, ref)
		return err
	}},
	{"prompts", "", false, func(w *world, c auth.Caller, ref string) error {
		_, err := w.Prompts(w.t.Context(), c, "", ref)
		return err
	}},
	{"transcript", "session.read_transcript", false, func(w *world, c auth.Caller, ref string) error {
		_, err := w.Transcript(w.t.Context(), c, ref, "", 0)
		return err
	}},
	{"screen", "session.read_screen", false, func(w *world, c auth.Caller, ref string) error {
		_, _, err := w.Screen(w.t.Context(), c, ref)
		return err
	}},
	{"terminal", "session.read_terminal", false, func(w *world, c auth.Caller, ref string) error {
		_, _, err := w.Terminal(w.t.Context(), c, ref, 10)
		return err
	}},
	{"changes", "session.read_changes", false, func(w *world, c auth.Caller, ref string) error {
		_, _, err := w.SessionChanges(w.t.Context(), c, ref, "")
		return err
	}},
	{"recording", "session.read_recording", false, func(w *world, c auth.Caller, ref string) error {
		_, err := w.Recording(w.t.Context(), c, ref)
		return err
	}},
	{"fetch", "session.fetch", false, func(w *world, c auth.Caller, ref string) error {
		_, err := w.Fetch(w.t.Context(), c, ref)
		return err
	}},
	{"wait", "session.wait", false, func(w *world, c auth.Caller, ref string) error {
		_, err := w.WaitForSession(w.t.Context(), c, fleet.WaitFor{Session: ref, Until: fleet.UntilChange, Timeout: 1, Cursor: "0"})
		return err
	}},
	{"message", "session.message", true, func(w *world, c auth.Caller, ref string) error {
		_, err := w.SendMessage(w.t.Context(), c, ref, fleet.NewMessage{Text: "run the tests"})
		return err
	}},
	{"queued messages", "", false, func(w *world, c auth.Caller, ref string) error {
		session, refused := w.Session(w.t.Context(), c, ref)
		if _, err := w.QueuedMessages(w.t.Context(), session); (err == nil) != (refused == nil) {
			w.t.Errorf("session %v, messages %v", refused, err)
		}
		return refused
	}},
	{"take back", "session.take_back", true, func(w *world, c auth.Caller, ref string) error {
		_, _, err := w.TakeBackMessage(w.t.Context(), c, ref, w.queued(ref))
		return err
	}},
	{"interrupt", "session.interrupt", true, func(w *world, c auth.Caller, ref string) error {
		_, err := w.InterruptSession(w.t.Context(), c, ref)
		return err
	}},
	{"resume", "session.resume", true, func(w *world, c auth.Caller, ref string) error {
		_, err := w.ResumeSession(w.t.Context(), c, ref)
		return err
	}},
	{"terminate", "session.terminate", true, func(w *world, c auth.Caller, ref string) error {
		_, err := w.TerminateSession(w.t.Context(), c, ref, true)
		return err
	}},
}

func TestEveryOperationChecksTheRight(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	viewer, operator := w.person("vera", auth.RoleMember), w.person("otto", auth.RoleMember)
	stranger, admin := w.person("mallory", auth.RoleMember), w.person("root", auth.RoleAdmin)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, viewer, fleet.AccessViewer)
	share(t, w, alice, operator, fleet.AccessOperator)
	scopeless := alice
	scopeless.Scopes = nil

	people := []struct {
		name        string
		c           auth.Caller
		reads, acts error // nil: allowed
	}{
		{"owner", alice, nil, nil},
		{"operator", operator, nil, nil},
		{"viewer", viewer, nil, auth.ErrForbidden},
		{"stranger", stranger, auth.ErrNotFound, auth.ErrNotFound},
		{"administrator", admin, auth.ErrNotFound, auth.ErrNotFound},
		{"without scopes", scopeless, auth.ErrForbidden, auth.ErrForbidden},
	}
	for _, op := range operations {
		s := w.session(alice, h, "web-app")
		for _, p := range people {
			t.Run(op.name+" by "+p.name, func(t *testing.T) {
				want := p.reads
				if op.acts {
					want = p.acts
				}
				allowed, refused := w.audited(op.action)
				err := op.do(w, p.c, s.Handle)
				if !errors.Is(err, want) || (want == nil && err != nil) {
					t.Fatalf("error %v, want %v", err, want)
				}
				checkAudited(t, w, op.action, allowed, refused, want == nil)
			})
		}
	}
}

// checkAudited compares the number of records with that before one call.
func checkAudited(t *testing.T, w *world, action string, allowed, refused int, wantAllowed bool) {
	t.Helper()
	switch {
	case action == "":
	case wantAllowed:
		allowed++
	default:
		refused++
	}
	gotAllowed, gotRefused := w.audited(action)
	if diff := cmp.Diff([]int{gotAllowed, gotRefused}, []int{allowed, refused}); diff != "" {
		t.Errorf("records of %q (got -, want +):\n%s", action, diff)
	}
}

func share(t *testing.T, w *world, owner, with auth.Caller, access fleet.Access) {
	t.Helper()
	hosts := must(w.ListHosts(t.Context(), owner))(t)
	if err := w.ShareHost(t.Context(), owner, string(hosts[0].ID), with.User, access); err != nil {
		t.Fatal(err)
	}
}

// What does not exist and what is somebody else's must look the same, whatever the spelling.
func TestForeignAndUnknownLookTheSame(t *testing.T) {
	w := newWorld(t)
	alice, mallory := w.person("alice", auth.RoleMember), w.person("mallory", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	refs := []string{
		string(s.ID), s.Handle, s.Name, strings.ToUpper(s.Handle), string(s.ID[:8]), string(protocol.NewSessionID()),
		"", " ", "../" + s.Handle, s.Handle + "\x00", "\xff\xfe", "%", "' OR true --", strings.Repeat("x", 10<<20),
	}
	for _, op := range operations {
		for _, ref := range refs {
			if op.name == "prompts" && ref == "" {
				continue // narrows nothing
			}
			if op.name == "wait" && ref == "" {
				continue // waits on all that is visible
			}
			err := op.do(w, mallory, ref)
			if !errors.Is(err, auth.ErrNotFound) {
				t.Fatalf("%s of %.40q: error %v, want not found", op.name, ref, err)
			}
			want := op.do(w, mallory, "no-such-session").Error()
			if got := strings.Replace(err.Error(), quoted(ref), quoted("no-such-session"), 1); got != want {
				t.Errorf("%s of %.40q: got %q, want %q", op.name, ref, got, want)
			}
		}
	}
	if n := len(w.commandsOf(h)); n != 1 { // the creation
		t.Errorf("the host got commands %v", w.commandsOf(h))
	}
}

func quoted(ref string) string { return fmt.Sprintf("%.80q", strings.TrimSpace(ref)) }

func TestForeignPromptsAndMessagesAreNotFound(t *testing.T) {
	w := newWorld(t)
	alice, mallory := w.person("alice", auth.RoleMember), w.person("mallory", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	p := h.asks(s.ID)
	m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
	tests := []struct {
		name string
		do   func(c auth.Caller, id string) error
		id   string
	}{
		{"prompt", func(c auth.Caller, id string) error {
			_, err := w.Prompt(t.Context(), c, protocol.PromptID(id))
			return err
		}, string(p.ID)},
		{"answer", func(c auth.Caller, id string) error {
			_, err := w.AnswerPrompt(t.Context(), c, id, "yes")
			return err
		}, string(p.ID)},
		{"message", func(c auth.Caller, id string) error {
			_, err := w.Message(t.Context(), c, protocol.MessageID(id))
			return err
		}, string(m.ID)},
		{"wait for message", func(c auth.Caller, id string) error {
			_, err := w.WaitForMessage(t.Context(), c, protocol.MessageID(id), 1)
			return err
		}, string(m.ID)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			foreign, unknown := test.do(mallory, test.id), test.do(mallory, "nope")
			if !errors.Is(foreign, auth.ErrNotFound) || !errors.Is(unknown, auth.ErrNotFound) {
				t.Fatalf("errors %v and %v, want not found", foreign, unknown)
			}
			if got := strings.Replace(foreign.Error(), test.id, "nope", 1); got != unknown.Error() {
				t.Errorf("got %q, want %q", got, unknown)
			}
			if err := test.do(alice, test.id); err != nil {
				t.Errorf("the owner gets %v", err)
			}
		})
	}
}

func TestAmbiguousNameListsOnlyWhatIsVisible(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	mine, theirs := w.newHost(alice, "mac-1"), w.newHost(bob, "mac-2")
	first, second := w.session(alice, mine, "web-app"), w.session(alice, mine, "web-app")
	foreign := w.session(bob, theirs, "web-app")

	_, err := w.Session(t.Context(), alice, "Web-App")
	if !errors.Is(err, fleet.ErrInvalid) {
		t.Fatalf("error %v, want one that lists candidates", err)
	}
	for _, s := range []fleet.Session{first, second} {
		if !strings.Contains(err.Error(), s.Handle+" (on mac-1, starting)") {
			t.Errorf("%q does not name %s", err, s.Handle)
		}
	}
	if strings.Contains(err.Error(), foreign.Handle) {
		t.Errorf("%q names another person's %s", err, foreign.Handle)
	}
	must(w.TerminateSession(t.Context(), alice, second.Handle, false))(t)
	if s := must(w.Session(t.Context(), alice, "web-app"))(t); s.ID != first.ID {
		t.Errorf("the name means %s, want the one that lives: %s", s.Handle, first.Handle)
	}
}

func TestNothingHappensWithoutPostgres(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	before := w.commandsOf(h)
	w.cut()
	for _, op := range operations {
		if err := op.do(w, alice, s.Handle); !errors.Is(err, fleet.ErrUnavailable) {
			t.Errorf("%s: error %v, want unavailable", op.name, err)
		}
	}
	if diff := cmp.Diff(w.commandsOf(h), before); diff != "" {
		t.Errorf("commands (got -, want +):\n%s", diff)
	}
}

// A record that cannot be written keeps the act from happening, also when all else works.
func TestNothingHappensWithoutItsRecord(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	before := w.commandsOf(h)
	if _, err := w.sql.Exec(t.Context(), `ALTER TABLE audit_events RENAME TO elsewhere`); err != nil {
		t.Fatal(err)
	}
	for _, op := range operations {
		if op.action == "" {
			continue
		}
		if err := op.do(w, alice, s.Handle); !errors.Is(err, fleet.ErrUnavailable) {
			t.Errorf("%s: error %v, want unavailable", op.name, err)
		}
	}
	if diff := cmp.Diff(w.commandsOf(h), before); diff != "" {
		t.Errorf("commands (got -, want +):\n%s", diff)
	}
}
