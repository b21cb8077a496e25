package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// reconcile has the time pass after which nobody waits for an answer any more, and asks the hosts.
func (w *world) reconcile(t *testing.T) {
	t.Helper()
	w.Now = func() time.Time { return time.Now().Add(time.Minute) }
	if err := w.ReconcileOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Now = time.Now
}

// A message whose host never answered is found to be what it is.
func TestReconcileMessages(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	tests := []struct {
		name string
		lose func(h *host) // the answer
		find func(h *host)
		want protocol.MessageStatus
	}{
		{"taken by the host", func(h *host) { h.setGarbled(true) }, func(h *host) { h.setGarbled(false) }, protocol.MessageDelivered},
		{"not taken", func(h *host) { h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full")) },
			func(h *host) { h.setRefuse(nil) }, protocol.MessageFailed},
		{"of a session that the host does not have", func(h *host) { h.setGarbled(true) },
			func(h *host) { h.setGarbled(false); h.setRefuse(protocol.Errorf(protocol.CodeNotFound, "no session")) }, protocol.MessageFailed},
		{"of a host that cannot say", func(h *host) { h.setGarbled(true) },
			func(h *host) {
				h.setGarbled(false)
				h.setRefuse(protocol.Errorf(protocol.CodeInvalid, "unknown command"))
			}, protocol.MessageQueued},
		{"of a host that is away", func(h *host) { h.setGarbled(true) }, (*host).offline, protocol.MessageQueued},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := w.newHost(alice, "mac-"+protocol.NewID()[:8])
			s := w.session(alice, h, "web-app")
			test.lose(h)
			m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
			if m.Status != protocol.MessageQueued || !strings.HasPrefix(m.Detail, "outcome unknown") {
				t.Fatalf("the message is %s (%s)", m.Status, m.Detail)
			}
			test.find(h)
			w.reconcile(t)
			if got := must(w.Message(t.Context(), alice, m.ID))(t); got.Status != test.want {
				t.Errorf("the message is %s (%s), want %s", got.Status, got.Detail, test.want)
			}
		})
	}
}

// A control plane that was killed before it sent a message leaves it to the others.
func TestReconcileMessageWhoseSenderStopped(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	s := w.session(alice, w.newHost(alice, "mac-1"), "web-app")
	_, err := w.sql.Exec(t.Context(), `
		INSERT INTO messages (id, session_id, author_id, client_id, body, status, detail)
		VALUES ('m1', $1, $2, 'web', 'hello', 'queued', 'on its way to the host')`, s.ID, alice.User)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ReconcileOnce(t.Context()); err != nil { // its sender may still be at it
		t.Fatal(err)
	}
	if m := must(w.Message(t.Context(), alice, "m1"))(t); m.Status != protocol.MessageQueued {
		t.Errorf("a message under way is %s (%s)", m.Status, m.Detail)
	}
	w.reconcile(t)
	if m := must(w.Message(t.Context(), alice, "m1"))(t); m.Status != protocol.MessageFailed || m.Detail == "" {
		t.Errorf("the message is %s (%s)", m.Status, m.Detail)
	}
}

// An answer that went nowhere leaves the prompt to the next one.
func TestReconcileAnswers(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, bob, fleet.AccessOperator)
	s := w.session(alice, h, "web-app")
	p := h.asks(s.ID)

	h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full"))
	if _, err := w.AnswerPrompt(t.Context(), alice, string(p.ID), "yes"); err == nil {
		t.Fatal("an answer that failed was taken")
	}
	h.setRefuse(nil)
	if _, err := w.AnswerPrompt(t.Context(), bob, string(p.ID), "no"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("while the outcome is unknown: error %v, want conflict", err)
	}
	w.reconcile(t)
	if _, err := w.AnswerPrompt(t.Context(), bob, string(p.ID), "no"); err != nil {
		t.Errorf("once it is known that nothing was done: %v", err)
	}

	q := h.asks(s.ID)
	h.setGarbled(true)
	if _, err := w.AnswerPrompt(t.Context(), alice, string(q.ID), "yes"); err == nil {
		t.Fatal("an answer that was not confirmed is said to have been")
	}
	h.setGarbled(false)
	w.reconcile(t)
	if _, err := w.AnswerPrompt(t.Context(), bob, string(q.ID), "no"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("a prompt that the host has answered: error %v, want conflict", err)
	}
}

// TestReconcileWarnsOnce: a host that does not say what became of its commands is named in the log once for each of its
// connections, though it is asked again all the time.
func TestReconcileWarnsOnce(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	for _, name := range []string{"web-app", "api"} {
		w.queued(w.session(alice, h, name).Handle)
	}
	h.setRefuse(protocol.Errorf(protocol.CodeInvalid, "this host agent does not know the command"))
	log := &lines{}
	w.Log = slog.New(slog.NewTextHandler(log, nil))
	w.Now = func() time.Time { return time.Now().Add(time.Minute) }
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { w.Reconcile(ctx) })
	defer group.Wait()
	defer stop()
	for connections := range 2 {
		before, deadline := h.count(protocol.WithdrawCommand.Name), time.Now().Add(time.Minute)
		for h.count(protocol.WithdrawCommand.Name) < before+5 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond) // the scripted host tells nobody that it was asked
		}
		if n := log.count("still unknown"); n != connections+1 {
			t.Errorf("%d warnings, want %d", n, connections+1)
		}
		h.hello()
	}
}

// lines is a log that counts.
type lines struct {
	mu   sync.Mutex // guards the field below
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}
