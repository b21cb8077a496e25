package fleet_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestSendMessage(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	tests := []struct {
		name, text string
		want       string // part of the error; empty: sent
	}{
		{"plain", "run the tests", ""},
		{"lines and tabs", "one\n\ttwo\r\nthree", ""},
		{"empty", "", "empty"},
		{"only spaces", " \n\t", "empty"},
		{"as long as allowed", strings.Repeat("x", protocol.MaxMessage), ""},
		{"too long", strings.Repeat("x", protocol.MaxMessage+1), "at most 100000"},
		{"invalid UTF-8", "a\xff", "UTF-8"},
		{"NUL", "a\x00", "U+0000 at byte 1"},
		{"escape", "ab\x1b[201~", "U+001B at byte 2"},
		{"lone carriage return", "a\rb", "U+000D"},
		{"C1 control", "a\u009bb", "U+009B"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := h.count("send_message")
			m, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: test.text})
			if test.want != "" {
				if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want an invalid one with %q", err, test.want)
				}
				if h.count("send_message") != before {
					t.Error("the host was told")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Status != protocol.MessageDelivered || m.Author != alice.User {
				t.Errorf("message is %s by %s", m.Status, m.Author)
			}
		})
	}
}

// A status only goes forward, whatever order the host's words arrive in.
func TestMessageStatusOnlyGoesForward(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s, other := w.session(alice, h, "web-app"), w.session(alice, h, "api")
	m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
	steps := []struct {
		session protocol.SessionID
		status  protocol.MessageStatus
		want    protocol.MessageStatus
	}{
		{s.ID, protocol.MessageQueued, protocol.MessageDelivered},
		{other.ID, protocol.MessageFailed, protocol.MessageDelivered}, // not that session's
		{s.ID, "sideways", protocol.MessageDelivered},
		{s.ID, protocol.MessageAccepted, protocol.MessageAccepted},
		{s.ID, protocol.MessageFailed, protocol.MessageAccepted},
	}
	for _, step := range steps {
		h.say(step.session, protocol.EventMessage, protocol.MessageState{ID: m.ID, Status: step.status})
		if got := must(w.Message(t.Context(), alice, m.ID))(t); got.Status != step.want {
			t.Errorf("after %s: %s, want %s", step.status, got.Status, step.want)
		}
	}
}

func TestIdempotencyKeySendsOnce(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, bob, fleet.AccessOperator)
	s, other := w.session(alice, h, "web-app"), w.session(alice, h, "api")

	var group sync.WaitGroup
	ids := make([]protocol.MessageID, 32)
	for i := range ids {
		group.Go(func() {
			m, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "deploy", IdempotencyKey: "key-1"})
			if err != nil {
				t.Error(err)
			}
			ids[i] = m.ID
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("two messages: %s and %s", id, ids[0])
		}
	}
	if n := h.count("send_message"); n != 1 {
		t.Errorf("the host was told %d times", n)
	}
	if _, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "another", IdempotencyKey: "key-1"}); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("another text: error %v, want conflict", err)
	}
	if _, err := w.SendMessage(t.Context(), alice, other.Handle, fleet.NewMessage{Text: "deploy", IdempotencyKey: "key-1"}); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("another session: error %v, want conflict", err)
	}
	if m := must(w.SendMessage(t.Context(), bob, s.Handle, fleet.NewMessage{Text: "deploy", IdempotencyKey: "key-1"}))(t); m.ID == ids[0] {
		t.Error("another person's key is the same")
	}
}

func TestMessageToAHostThatDoesNotTakeIt(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")

	h.setRefuse(protocol.Errorf(protocol.CodeConflict, "a prompt is open"))
	_, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "refused"})
	var refused *protocol.Error
	if !errors.As(err, &refused) || refused.Code != protocol.CodeConflict {
		t.Errorf("error %v, want the host's", err)
	}
	if _, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "refused"}); !errors.As(err, &refused) || h.count("send_message") != 2 {
		t.Errorf("a repeat of what was refused: error %v, and the host was told %d times, want 2", err, h.count("send_message"))
	}

	h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full"))
	unknown := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
	if unknown.Status != protocol.MessageQueued || !strings.HasPrefix(unknown.Detail, "outcome unknown") {
		t.Errorf("the message is %s (%s)", unknown.Status, unknown.Detail)
	}

	h.setRefuse(nil)
	s = w.session(alice, h, "api") // where nothing is on its way
	h.setGarbled(true)
	unknown = must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "garbled"}))(t)
	if unknown.Status != protocol.MessageQueued || !strings.HasPrefix(unknown.Detail, "outcome unknown") {
		t.Errorf("the message is %s (%s)", unknown.Status, unknown.Detail)
	}
	before := h.count("send_message")
	if again := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "garbled"}))(t); again.ID != unknown.ID || h.count("send_message") != before {
		t.Errorf("a repeat is message %s, and the host was told %d times more", again.ID, h.count("send_message")-before)
	}

	h.setGarbled(false)
	s = w.session(alice, h, "docs")
	h.offline()
	_, err = w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "offline"})
	if !errors.Is(err, fleet.ErrUnavailable) || !strings.Contains(err.Error(), "host mac-1 is offline since 20") {
		t.Errorf("error %v, want that it is offline and since when", err)
	}
	if s := must(w.Session(t.Context(), alice, s.Handle))(t); s.HostOnline || s.HostAway.IsZero() {
		t.Errorf("the session's host is online %v, away since %v", s.HostOnline, s.HostAway)
	}
}

// A control plane that stops between the commit and the host's answer leaves a message that says so.
func TestMessageWhoseSenderStopped(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	s := w.session(alice, w.newHost(alice, "mac-1"), "web-app")
	_, err := w.sql.Exec(t.Context(), `
		INSERT INTO messages (id, session_id, author_id, client_id, body, status, detail, created_at)
		VALUES ('m1', $1, $2, 'web', 'hello', 'queued', 'on its way to the host', now() - interval '1 minute')`, s.ID, alice.User)
	if err != nil {
		t.Fatal(err)
	}
	if m := must(w.Message(t.Context(), alice, "m1"))(t); !strings.HasPrefix(m.Detail, "outcome unknown") {
		t.Errorf("detail %q", m.Detail)
	}
}

// Who hangs up does not stop what has begun.
func TestActOutlivesItsRequest(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	w.Store = hangingUp{w.Store, hangUp}
	m, err := w.SendMessage(ctx, alice, s.Handle, fleet.NewMessage{Text: "hello"})
	if err != nil || m.Status != protocol.MessageDelivered {
		t.Errorf("message is %s, error %v", m.Status, err)
	}
}

// hangingUp is a store whose caller goes away as soon as his message is committed.
type hangingUp struct {
	fleet.Store
	hangUp func()
}

func (s hangingUp) RecordMessage(ctx context.Context, record audit.Event, a fleet.Answer, m fleet.Message) (fleet.Message, bool, error) {
	defer s.hangUp()
	return s.Store.RecordMessage(ctx, record, a, m)
}

// Who is gone before the commit has sent nothing, or all of it: no row is left that nobody hands over.
func TestMessageOfOneWhoIsGone(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	_, err := w.SendMessage(gone, alice, s.Handle, fleet.NewMessage{Text: "hello"})
	var rows int
	if err := w.sql.QueryRow(t.Context(), `SELECT count(*) FROM messages`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if told := h.count("send_message"); rows != told || (err == nil) != (told == 1) {
		t.Errorf("%d messages, and the host was told of %d; error %v", rows, told, err)
	}
}

// That the host has queued a message is not written a second time; its own word on it comes as an event.
func TestMessageThatWaits(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	h.setQueues(true)
	m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
	if m.Status != protocol.MessageQueued || m.Detail != "the agent works" {
		t.Errorf("the message is %s (%s)", m.Status, m.Detail)
	}
	if stored := must(w.Message(t.Context(), alice, m.ID))(t); !stored.UpdatedAt.Equal(stored.CreatedAt) {
		t.Errorf("stored again, as %s (%s)", stored.Status, stored.Detail)
	}
	h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: m.ID, Status: protocol.MessageQueued, Detail: "the agent works"})
	if stored := must(w.Message(t.Context(), alice, m.ID))(t); stored.Detail != "the agent works" {
		t.Errorf("detail %q", stored.Detail)
	}
}

func TestWaitForMessage(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
	if got := must(w.WaitForMessage(t.Context(), alice, m.ID, time.Millisecond))(t); got.Status != protocol.MessageDelivered {
		t.Errorf("after the time: %s", got.Status)
	}
	var group sync.WaitGroup
	group.Go(func() {
		h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: m.ID, Status: protocol.MessageAccepted, Detail: "hook"})
	})
	got := must(w.WaitForMessage(t.Context(), alice, m.ID, 0))(t)
	group.Wait()
	if diff := cmp.Diff([]string{string(got.Status), got.Detail}, []string{"accepted", "hook"}); diff != "" {
		t.Errorf("message (got -, want +):\n%s", diff)
	}
}
