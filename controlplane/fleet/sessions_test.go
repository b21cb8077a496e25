package fleet_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestCreateSession(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	tests := []struct {
		name   string
		ask    fleet.NewSession
		handle string // a pattern
	}{
		{"named", fleet.NewSession{Name: "Web-App"}, `^web-app_[a-z2-9]{4}$`},
		{"after its directory", fleet.NewSession{WorkingDir: "/home/ada/api.v2/"}, `^api\.v2_[a-z2-9]{4}$`},
		{"with a name that cannot be typed", fleet.NewSession{Name: "  größe / x* "}, `^gre---x_[a-z2-9]{4}$`},
		{"with nothing", fleet.NewSession{}, `^session_[a-z2-9]{4}$`},
		{"in the home directory", fleet.NewSession{WorkingDir: "~"}, `^session_[a-z2-9]{4}$`},
		{"with a name of signs", fleet.NewSession{Name: "---", WorkingDir: "/"}, `^session_[a-z2-9]{4}$`},
		{"in a directory of a long name", fleet.NewSession{WorkingDir: "/" + strings.Repeat("x", 150)}, `^x{40}_[a-z2-9]{4}$`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := must(w.CreateSession(t.Context(), alice, test.ask))(t)
			if !regexp.MustCompile(test.handle).MatchString(s.Handle) {
				t.Errorf("handle %q, want %s", s.Handle, test.handle)
			}
			if s.Host != h.ID || s.State != protocol.StateStarting || s.WorkingDir != "/home/web-app" || s.Creator != "alice" {
				t.Errorf("session %+v", s)
			}
		})
	}
}

func TestCreateSessionIsRefused(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	tests := []struct {
		name string
		ask  fleet.NewSession
		want error
	}{
		{"relative directory", fleet.NewSession{WorkingDir: "src"}, fleet.ErrInvalid},
		{"NUL in the directory", fleet.NewSession{WorkingDir: "/a\x00"}, fleet.ErrInvalid},
		{"newline in the directory", fleet.NewSession{WorkingDir: "/a\nb"}, fleet.ErrInvalid},
		{"long directory", fleet.NewSession{WorkingDir: "/" + strings.Repeat("x", 4096)}, fleet.ErrInvalid},
		{"invalid UTF-8 in the name", fleet.NewSession{Name: "\xff"}, fleet.ErrInvalid},
		{"long name", fleet.NewSession{Name: strings.Repeat("x", 41)}, fleet.ErrInvalid},
		{"long agent", fleet.NewSession{Agent: strings.Repeat("x", 41)}, fleet.ErrInvalid},
		{"control character in the mode", fleet.NewSession{PermissionMode: "a\x1b"}, fleet.ErrInvalid},
		{"empty first message", fleet.NewSession{Message: " "}, fleet.ErrInvalid},
		{"long key", fleet.NewSession{IdempotencyKey: strings.Repeat("x", 201)}, fleet.ErrInvalid},
		{"unknown host", fleet.NewSession{Host: "mac-9"}, auth.ErrNotFound},
		{"unknown template", fleet.NewSession{Template: "nightly"}, auth.ErrNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := w.CreateSession(t.Context(), alice, test.ask); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
	if n := h.count("create_session"); n != 0 {
		t.Errorf("the host was told %d times", n)
	}
}

func TestWhichHost(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	_, err := w.CreateSession(t.Context(), alice, fleet.NewSession{})
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "https://switchboard.example/hosts") {
		t.Errorf("no host: error %v, want where to register one", err)
	}
	shared := w.newHost(bob, "mac-2")
	share(t, w, bob, alice, fleet.AccessViewer)
	if _, err := w.CreateSession(t.Context(), alice, fleet.NewSession{}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("only a host to look at: error %v", err)
	}
	if _, err := w.CreateSession(t.Context(), alice, fleet.NewSession{Host: "mac-2"}); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a host to look at: error %v", err)
	}
	share(t, w, bob, alice, fleet.AccessOperator)
	if s := must(w.CreateSession(t.Context(), alice, fleet.NewSession{}))(t); s.Host != shared.ID {
		t.Errorf("host %s, want the only one", s.Host)
	}
	own := w.newHost(alice, "mac-1")
	own.offline()
	_, err = w.CreateSession(t.Context(), alice, fleet.NewSession{})
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "mac-1 (offline since 20") || !strings.Contains(err.Error(), "mac-2 (online)") {
		t.Errorf("two hosts: error %v, want both and how they are", err)
	}
	allowed, refused := w.audited("session.create")
	if diff := cmp.Diff([]int{allowed, refused}, []int{1, 4}); diff != "" {
		t.Errorf("records (got -, want +):\n%s", diff)
	}
}

func TestSessionThatItsHostDoesNotStart(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	listed := func() int { return len(must(w.ListSessions(t.Context(), alice, fleet.SessionFilter{}))(t).Sessions) }

	h.setRefuse(protocol.Errorf(protocol.CodeRefused, "/etc is outside of the allowed directories"))
	_, err := w.CreateSession(t.Context(), alice, fleet.NewSession{WorkingDir: "/etc", IdempotencyKey: "k"})
	var refused *protocol.Error
	if !errors.As(err, &refused) || err.Error() != "session not started: host mac-1: /etc is outside of the allowed directories" {
		t.Errorf("error %v, want the host and its reason", err)
	}
	if n := listed(); n != 0 {
		t.Errorf("%d sessions are listed", n)
	}
	h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full"))
	if _, err = w.CreateSession(t.Context(), alice, fleet.NewSession{WorkingDir: "/etc", IdempotencyKey: "k"}); err == nil {
		t.Error("no error when the outcome is unknown")
	}
	if n := listed(); n != 1 {
		t.Errorf("%d sessions are listed, want the one of which nobody knows", n)
	}
	h.offline()
	if _, err := w.CreateSession(t.Context(), alice, fleet.NewSession{Name: "x"}); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("host away: error %v, want unavailable", err)
	}
}

func TestIdempotencyKeyStartsOnce(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	ask := fleet.NewSession{Name: "web-app", Message: "run the tests", IdempotencyKey: "k"}
	var group sync.WaitGroup
	ids := make([]protocol.SessionID, 16)
	for i := range ids {
		group.Go(func() {
			s, err := w.CreateSession(t.Context(), alice, ask)
			if err != nil {
				t.Error(err)
			}
			ids[i] = s.ID
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("two sessions: %s and %s", id, ids[0])
		}
	}
	if h.count("create_session") != 1 || h.count("send_message") != 1 {
		t.Errorf("the host was told %v", w.commandsOf(h))
	}
	ask.Message = "another"
	if _, err := w.CreateSession(t.Context(), alice, ask); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("another request: error %v, want conflict", err)
	}
}

func TestListSessionsInPages(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h, other := w.newHost(alice, "mac-1"), w.newHost(alice, "mac-2")
	var want []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		want = append([]string{w.session(alice, h, name).Handle}, want...)
	}
	for _, handle := range []string{want[1], want[3]} { // they go to the end
		must(w.TerminateSession(t.Context(), alice, handle, false))(t)
	}
	want = []string{want[0], want[2], want[4], want[1], want[3]}
	w.session(alice, other, "elsewhere")

	var got []string
	for filter := (fleet.SessionFilter{Host: "mac-1", Limit: 2}); ; {
		page := must(w.ListSessions(t.Context(), alice, filter))(t)
		for _, s := range page.Sessions {
			got = append(got, s.Handle)
		}
		if filter.Cursor = page.Next; filter.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("sessions (got -, want +):\n%s", diff)
	}
	page := must(w.ListSessions(t.Context(), alice, fleet.SessionFilter{State: protocol.StateExited}))(t)
	if len(page.Sessions) != 2 {
		t.Errorf("%d exited sessions, want 2", len(page.Sessions))
	}
	for _, filter := range []fleet.SessionFilter{{State: "dancing"}, {Limit: -1}, {Limit: 1000}, {Cursor: "x"}, {Cursor: "e30"}} {
		if _, err := w.ListSessions(t.Context(), alice, filter); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("filter %+v: error %v, want invalid", filter, err)
		}
	}
}

// Whoever asks what is running is not shown all that ever ran.
func TestListRecentSessions(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h, other, foreign := w.newHost(alice, "mac-1"), w.newHost(alice, "mac-2"), w.newHost(bob, "mac-3")
	live, recent := w.session(alice, h, "live"), w.session(alice, h, "recent")
	endedAgo := func(h *host, s fleet.Session, ago time.Duration) {
		at := time.Now().Add(-ago)
		h.say(s.ID, protocol.EventSession, protocol.Session{State: protocol.StateExited, StateAt: time.Now(), ExitedAt: &at})
	}
	endedAgo(h, recent, 23*time.Hour)
	for _, old := range []*host{h, h, other} {
		endedAgo(old, w.session(alice, old, "old"), 25*time.Hour)
	}
	endedAgo(foreign, w.session(bob, foreign, "theirs"), 25*time.Hour)
	tests := []struct {
		filter   fleet.SessionFilter
		sessions int
		leftOut  int
		name     string
	}{
		{fleet.SessionFilter{Recent: true}, 2, 3, "without a filter"},
		{fleet.SessionFilter{Recent: true, Host: "mac-1"}, 2, 2, "on one host"},
		{fleet.SessionFilter{Recent: true, State: protocol.StateExited}, 4, 0, "those that ended"},
		{fleet.SessionFilter{Recent: true, State: protocol.StateStarting}, 1, 0, "those that start"},
		{fleet.SessionFilter{Recent: true, Limit: 1}, 1, 0, "a first page"},
		{fleet.SessionFilter{}, 5, 0, "all"},
	}
	for _, test := range tests {
		page := must(w.ListSessions(t.Context(), alice, test.filter))(t)
		if len(page.Sessions) != test.sessions || page.LeftOut != test.leftOut || page.Sessions[0].ID != live.ID && test.filter.State != protocol.StateExited {
			t.Errorf("%s: %d sessions and %d left out, want %d and %d", test.name, len(page.Sessions), page.LeftOut, test.sessions, test.leftOut)
		}
	}
}

func TestControlWithoutAClearAnswer(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	h.setGarbled(true)
	if _, err := w.InterruptSession(t.Context(), alice, s.Handle); !errors.Is(err, fleet.ErrUnknown) {
		t.Errorf("an answer that cannot be read: error %v, want unknown", err)
	}
	if _, _, err := w.Screen(t.Context(), alice, s.Handle); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("a screen that cannot be read: error %v, want unavailable", err)
	}
	h.setGarbled(false)
	h.setRefuse(protocol.Errorf(protocol.CodeNotFound, "no such session"))
	var refused *protocol.Error
	if _, err := w.InterruptSession(t.Context(), alice, s.Handle); !errors.As(err, &refused) {
		t.Errorf("a session that its host does not know: error %v, want the host's", err)
	}
	got := must(w.TerminateSession(t.Context(), alice, s.Handle, false))(t)
	if got.State != protocol.StateExited || got.ExitReason != "lost: the host does not know it" {
		t.Errorf("ended: %s (%s)", got.State, got.ExitReason)
	}
}

func TestTerminateTwice(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	for range 2 {
		if got := must(w.TerminateSession(t.Context(), alice, s.Handle, false))(t); got.State != protocol.StateExited {
			t.Errorf("state %s", got.State)
		}
	}
	if n := h.count("terminate_session"); n != 1 {
		t.Errorf("the host was told %d times", n)
	}
}
