package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// TestWithdraw: what came after its withdrawal is not done, also by a host agent that was started since; what came
// before is told.
func TestWithdraw(t *testing.T) {
	r := newRig(t)
	id := r.create("manual")
	late := protocol.SendMessageRequest{Act: act(), Session: id, Text: "too late"}
	late.Message = protocol.MessageID(late.Command)
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: late.Command}, false)
	refused := func() {
		t.Helper()
		_, err := r.Send(t.Context(), late)
		if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != protocol.CodeUnavailable {
			t.Errorf("a message that was taken back: %v, want unavailable", err)
		}
	}
	refused()
	check(t, r.Manager.Close())
	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	refused()
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: late.Command}, false)

	sent := protocol.SendMessageRequest{Act: act(), Session: id, Text: "fake:bash touch x ;; text done"}
	sent.Message = protocol.MessageID(sent.Command)
	_, err := r.Send(t.Context(), sent)
	check(t, err)
	r.await(id, protocol.StateWaiting)
	reply := r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: sent.Command}, true)
	if reply.Message == nil || reply.Message.ID != sent.Message || reply.Message.Status != protocol.MessageAccepted {
		t.Errorf("the message is %+v, want accepted", reply.Message)
	}

	asked := r.prompt(id, 1)
	answer := protocol.AnswerPromptRequest{Act: act(), Session: id, Prompt: asked.ID, Digest: asked.Digest, Answer: protocol.Answer{Option: "deny"}}
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: answer.Command}, false)
	if _, err := r.Answer(t.Context(), answer); err == nil {
		t.Error("an answer that was taken back was given")
	}
	answer.Command = protocol.CommandID(protocol.NewID())
	_, err = r.Answer(t.Context(), answer)
	check(t, err)
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: answer.Command}, true)

	_, err = r.Withdraw(t.Context(), protocol.WithdrawCommandRequest{Session: protocol.NewSessionID(), Command: "c1"})
	if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != protocol.CodeNotFound {
		t.Errorf("of a session that is not here: %v, want not found", err)
	}
}

// TestWithdrawSession: a start that comes after its withdrawal begins nothing, also when the host agent was started
// since. One that came before is told.
func TestWithdrawSession(t *testing.T) {
	r := newRig(t)
	id := r.create("manual")
	reply, err := r.WithdrawSession(t.Context(), protocol.WithdrawSessionRequest{Session: id})
	check(t, err)
	if !reply.Started {
		t.Error("a session that runs was taken back")
	}
	late := protocol.CreateSessionRequest{Act: act(), Session: protocol.NewSessionID(), Name: "web-app", WorkingDir: r.project}
	reply, err = r.WithdrawSession(t.Context(), protocol.WithdrawSessionRequest{Session: late.Session})
	check(t, err)
	if reply.Started {
		t.Error("a session that nobody asked for is said to run")
	}
	refused := func() {
		t.Helper()
		_, err := r.Create(t.Context(), late)
		if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != protocol.CodeUnavailable {
			t.Errorf("a start that was taken back: %v, want unavailable", err)
		}
	}
	refused()
	check(t, r.Manager.Close())
	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	refused()
	if n := len(r.Sessions()); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}

	r.Now = func() time.Time { return time.Now().Add(2 * withdrawnFor) }
	check(t, r.prune(t.Context()))
	if exists(r.Manager.dir(late.Session)) {
		t.Error("a start that was taken back is remembered for ever")
	}
	r.Now = time.Now
	if !exists(r.Manager.dir(id)) {
		t.Error("a session that runs was deleted")
	}
	if _, err := r.WithdrawSession(t.Context(), protocol.WithdrawSessionRequest{Session: "../x"}); err == nil {
		t.Error("a session id that is none was taken")
	}
}

func (r *rig) wantWithdrawn(request protocol.WithdrawCommandRequest, acted bool) protocol.WithdrawCommandReply {
	r.t.Helper()
	reply, err := r.Withdraw(r.t.Context(), request)
	check(r.t, err)
	if reply.Acted != acted {
		r.t.Errorf("withdrawing %s: acted %v, want %v", request.Command, reply.Acted, acted)
	}
	return reply
}

// TestWithdrawOnItsWay: a message is taken back while it is on its way to the journal, and its sender has given up. That
// it was typed is told.
func TestWithdrawOnItsWay(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	const command = protocol.CommandID("c1")
	_, err := e.client.Append(t.Context(), noteMessage, messageNote{ID: protocol.MessageID(command), Command: command, Text: "hello"})
	check(t, err)
	m := &Manager{sessions: map[protocol.SessionID]*session{e.id: e.session}}
	replies := make(chan protocol.WithdrawCommandReply)
	go func() {
		reply, err := m.Withdraw(t.Context(), protocol.WithdrawCommandRequest{Session: e.id, Command: command})
		if err != nil {
			t.Error(err)
		}
		replies <- reply
	}()
	e.untilNoted(noteWithdrawn)
	e.follow()
	if reply := <-replies; !reply.Acted || reply.Message == nil {
		t.Errorf("told as %+v, want acted on", reply)
	}
}

// TestWithdrawWhileTyped: the sender of a message gives up while it waits to be typed, and takes it back. It is then
// either told as done, or never typed.
func TestWithdrawWhileTyped(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	look, err := e.client.Look(t.Context(), settled, lookPatience)
	check(t, err)
	other, err := e.client.Type(t.Context(), holder.Typing{Keys: [][]byte{[]byte("other ")}, Seen: look.Seen}) // what comes next waits for three seconds
	check(t, err)
	defer other.End()
	e.untilShows("ready other")
	typing := make(chan struct{})
	e.session.kind.TypeMessage = func(text string) [][]byte {
		close(typing)
		return [][]byte{[]byte(text)}
	}
	e.session.kind.ReadBox = func(lines []string) agentkind.Box {
		if strings.Contains(strings.Join(lines, ""), "hello") {
			return agentkind.BoxDraft
		}
		return agentkind.BoxEmpty
	}
	e.follow()
	e.becomesIdle()
	e.deliverUntilEnd()
	const command = protocol.CommandID("c1")
	e.handed <- handed{note: messageNote{ID: protocol.MessageID(command), Command: command, Text: "hello"}, taken: make(chan taken, 1)}
	<-typing
	defer time.AfterFunc(time.Second, other.End).Stop() // so that the withdrawal has its turn in time
	m := &Manager{sessions: map[protocol.SessionID]*session{e.id: e.session}}
	reply, err := m.Withdraw(t.Context(), protocol.WithdrawCommandRequest{Session: e.id, Command: command})
	check(t, err)
	free, err := e.session.typing.wait(t.Context())
	check(t, err)
	defer free()
	entries, err := holder.ReadJournal(e.paper.dir, 0)
	check(t, err)
	noted := slices.ContainsFunc(entries, func(e holder.Entry) bool { return e.Kind == noteTyping })
	if noted != reply.Acted {
		t.Errorf("acted on: %v; typed: %v", reply.Acted, noted)
	}
}

// deliverUntilEnd types messages until the test ends.
func (e *echoing) deliverUntilEnd() {
	ctx, cancel := context.WithCancel(e.t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = e.deliver(ctx, e.client) })
	e.t.Cleanup(func() { cancel(); group.Wait() })
}

// TestWithdrawnIsNotTypedLater: what a host agent that was killed left on its way to the terminal, or to the journal, is
// nothing once it is taken back.
func TestWithdrawnIsNotTypedLater(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	e.follow()
	look, err := e.client.Look(t.Context(), settled, lookPatience)
	check(t, err)
	const command = protocol.CommandID("c1")
	m := &Manager{sessions: map[protocol.SessionID]*session{e.id: e.session}}
	reply, err := m.Withdraw(t.Context(), protocol.WithdrawCommandRequest{Session: e.id, Command: command})
	check(t, err)
	if reply.Acted {
		t.Error("what nobody sent counts as acted on")
	}
	look.Seen.AnyOutput = true
	delivery, err := e.client.Type(t.Context(), holder.Typing{Keys: [][]byte{[]byte("late")}, Seen: look.Seen})
	check(t, err)
	defer delivery.End()
	if delivery.Typed {
		t.Error("it was typed")
	}
	check(t, e.note(t.Context(), e.client, noteMessage, messageNote{ID: protocol.MessageID(command), Command: command, Text: "late"}))
	if id, _, _ := e.nextMessage(); id != "" {
		t.Error("it is about to be typed")
	}
	e.untilShows("ready")
}

// untilNoted waits for an entry in the journal, which the session need not have taken in.
func (e *echoing) untilNoted(kind string) holder.Entry {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	for entry, err := range e.client.Follow(ctx, 0) {
		check(e.t, err)
		if entry.Kind == kind {
			return entry
		}
	}
	e.t.Fatalf("no %s in the journal", kind)
	return holder.Entry{}
}
