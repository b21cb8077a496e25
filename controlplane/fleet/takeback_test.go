package fleet_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// TestTakeBack: what the host says of a message that is to be taken back is what becomes of it, and what everybody is told.
func TestTakeBack(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	said := func(status protocol.MessageStatus) *protocol.WithdrawCommandReply {
		return &protocol.WithdrawCommandReply{Acted: true, Message: &protocol.MessageState{Status: status, Detail: "says the host"}}
	}
	typing := said(protocol.MessageQueued)
	typing.Typing = true
	tests := []struct {
		name  string
		fate  *protocol.WithdrawCommandReply
		host  func(*host)
		want  protocol.MessageStatus
		error string // part of it; empty: it was taken back
	}{
		{"queued", said(protocol.MessageWithdrawn), nil, protocol.MessageWithdrawn, ""},
		{"that never came there", &protocol.WithdrawCommandReply{}, nil, protocol.MessageWithdrawn, ""},
		{"to a session that the host does not have", nil, func(h *host) { h.setRefuse(protocol.Errorf(protocol.CodeNotFound, "no session")) }, protocol.MessageWithdrawn, ""},
		{"that failed there", said(protocol.MessageFailed), nil, protocol.MessageFailed, ""},
		{"typed meanwhile", said(protocol.MessageDelivered), nil, protocol.MessageDelivered, "was typed already"},
		{"accepted meanwhile", said(protocol.MessageAccepted), nil, protocol.MessageAccepted, "was typed already"},
		{"being typed", typing, nil, protocol.MessageQueued, "was typed already"},
		{"of a host that cannot", said(protocol.MessageQueued), nil, protocol.MessageQueued, "is still queued"},
		{"of a host that is away", nil, (*host).offline, protocol.MessageQueued, "is offline"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := w.newHost(alice, "mac-"+protocol.NewID()[:8])
			s := w.session(alice, h, "web-app")
			h.setQueues(true)
			m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
			h.fate = test.fate
			if test.host != nil {
				test.host(h)
			}
			told, stop, err := w.Changes.Watch(s.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			_, taken, err := w.TakeBackMessage(t.Context(), alice, s.Handle, m.ID)
			if test.error == "" && (err != nil || taken.Status != test.want) {
				t.Errorf("it is %s, error %v", taken.Status, err)
			}
			if test.error != "" && (err == nil || !strings.Contains(err.Error(), test.error)) {
				t.Errorf("error %v, want one with %q", err, test.error)
			}
			if got := must(w.Message(t.Context(), alice, m.ID))(t); got.Status != test.want {
				t.Errorf("kept as %s (%s), want %s", got.Status, got.Detail, test.want)
			}
			if test.want != protocol.MessageQueued {
				<-told
			}
		})
	}
}

// TestTakeBackWhat: only a message to the session that is named is taken back, and to do it again changes nothing.
func TestTakeBackWhat(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, bob, fleet.AccessOperator)
	s, other := w.session(alice, h, "web-app"), w.session(alice, h, "api")
	h.setQueues(true)
	m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "k"}))(t)
	for _, wrong := range []struct {
		session string
		id      protocol.MessageID
	}{{other.Handle, m.ID}, {s.Handle, "none"}, {s.Handle, protocol.MessageID(strings.Repeat("x", 1000))}, {s.Handle, "a\x00b"}} {
		if _, _, err := w.TakeBackMessage(t.Context(), bob, wrong.session, wrong.id); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("message %.20q to %s: %v, want not found", wrong.id, wrong.session, err)
		}
	}
	if queued := must(w.QueuedMessages(t.Context(), must(w.Session(t.Context(), bob, s.Handle))(t)))(t); len(queued) != 1 || queued[0].ID != m.ID {
		t.Errorf("queued are %+v", queued)
	}
	h.fate = &protocol.WithdrawCommandReply{}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, taken, err := w.TakeBackMessage(t.Context(), bob, s.Handle, m.ID); err != nil || taken.Status != protocol.MessageWithdrawn {
				t.Errorf("it is %s, error %v", taken.Status, err)
			}
		})
	}
	group.Wait()
	if queued := must(w.QueuedMessages(t.Context(), must(w.Session(t.Context(), bob, s.Handle))(t)))(t); len(queued) != 0 {
		t.Errorf("still queued are %+v", queued)
	}
	again := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello", IdempotencyKey: "k"}))(t)
	if diff := cmp.Diff([]any{again.ID, again.Status}, []any{m.ID, protocol.MessageWithdrawn}); diff != "" {
		t.Errorf("a repeat of what was taken back (got -, want +):\n%s", diff)
	}
	h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: m.ID, Status: protocol.MessageAccepted})
	if got := must(w.Message(t.Context(), alice, m.ID))(t); got.Status != protocol.MessageWithdrawn {
		t.Errorf("it became %s", got.Status)
	}
}

// TestWhenBusy: what is not to wait goes to the host as what it is, and its refusal is what the sender hears and what is
// kept. A host that does not know it queues nothing.
func TestWhenBusy(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	n := fleet.NewMessage{Text: "hello", IdempotencyKey: "k", WhenBusy: fleet.RefuseWhenBusy}
	for _, refusal := range []*protocol.Error{
		protocol.Errorf(protocol.CodeConflict, "nothing was typed: the agent works"),
		protocol.Errorf(protocol.CodeInvalid, "this host agent (version 0.1) does not know the command \"send_message_if_idle\"; upgrade it"),
	} {
		h.setRefuse(refusal)
		_, err := w.SendMessage(t.Context(), alice, s.Handle, n)
		if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != refusal.Code || !strings.Contains(err.Error(), refusal.Message) {
			t.Errorf("error %v, want the host's", err)
		}
	}
	h.setRefuse(nil)
	m := must(w.SendMessage(t.Context(), alice, s.Handle, n))(t)
	if m.Status != protocol.MessageQueued || h.count(protocol.SendMessageIfIdle.Name) != 3 || h.count(protocol.SendMessage.Name) != 0 {
		t.Errorf("message %s, commands %v", m.Status, w.commandsOf(h))
	}
	var statuses string
	err := w.sql.QueryRow(t.Context(), `
		SELECT string_agg(status || ' ' || (detail LIKE '%nothing was typed%' OR detail LIKE '%upgrade it')::text, ', ' ORDER BY created_at)
		FROM messages`).Scan(&statuses)
	if err != nil || statuses != "failed true, failed true, queued false" {
		t.Errorf("kept are %s; %v", statuses, err)
	}
	var audited int
	err = w.sql.QueryRow(t.Context(), `SELECT count(*) FROM audit_events WHERE action = 'session.message' AND detail->>'when_busy' = 'refuse'`).Scan(&audited)
	if err != nil || audited != 3 {
		t.Errorf("%d audit records name when_busy, want 3; %v", audited, err)
	}
	n.WhenBusy = "maybe"
	if _, err := w.SendMessage(t.Context(), alice, s.Handle, n); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "queue or refuse") {
		t.Errorf("error %v, want an invalid one", err)
	}
}

// TestChangesAreKept: what a host changed in a message is known to all who see it, within bounds.
func TestChangesAreKept(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	for _, queues := range []bool{false, true} {
		h.setQueues(queues)
		h.changed = append([]string{"tabs became four spaces each", strings.Repeat("é", 1000)}, make([]string, 100)...)
		m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "a\tb"}))(t)
		got := must(w.Message(t.Context(), alice, m.ID))(t)
		if diff := cmp.Diff(m.Changed, got.Changed); diff != "" || len(got.Changed) != 10 || got.Changed[1] != strings.Repeat("é", 200) {
			t.Errorf("kept is %q\n%s", got.Changed, diff)
		}
		h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: m.ID, Status: protocol.MessageAccepted})
		h.say(s.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "a    b", Message: m.ID})
		page := must(w.Transcript(t.Context(), alice, s.Handle, "", 1))(t)
		if diff := cmp.Diff(m.Changed, page.Entries[0].Changed); diff != "" {
			t.Errorf("the transcript has it otherwise:\n%s", diff)
		}
	}
}
