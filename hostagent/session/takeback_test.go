package session

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// TestTakeBack: a message that waits is taken back and never typed, also by a host agent that was started since. One that
// the agent has been typed is not.
func TestTakeBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	first := r.send(id, strings.Repeat("a line of a message that takes a while to be typed\n", 400))
	second, third := r.send(id, "second"), r.send(id, "third")
	want := protocol.MessageState{ID: second, Status: protocol.MessageWithdrawn, Detail: "taken back by Bob; nothing was typed"}
	for range 2 {
		if got := r.takeBack(id, second); got.Message == nil || *got.Message != want {
			t.Errorf("of one that waits it is said: %+v", got.Message)
		}
	}
	s, err := r.session(id)
	check(t, err)
	check(t, s.until(t.Context(), func(f *fold) bool { return f.messages[first].typing }))
	if got := r.takeBack(id, first); got.Message == nil || waits(got) || got.Message.Status == protocol.MessageWithdrawn {
		t.Errorf("of one that is being typed it is said: %+v", got)
	}
	for _, message := range []protocol.MessageID{first, third} {
		if got := r.message(id, message); got.Status != protocol.MessageAccepted {
			t.Errorf("message became %v, want accepted", got)
		}
	}
	check(t, r.Manager.Close())
	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	if got := r.message(id, second); got != want {
		t.Errorf("later it is said: %+v", got)
	}
	if got := r.takeBack(id, first); got.Message == nil || got.Message.Status != protocol.MessageAccepted {
		t.Errorf("of one that was typed it is said: %+v", got)
	}
	asked := func() string { return strings.Join(r.model.Prompts(), "\n") }
	r.untilTrue("the model to be asked", func() bool { return strings.Contains(asked(), "third") })
	if strings.Contains(asked(), "second") {
		t.Errorf("the model was asked %q", asked())
	}
	checkGapFree(t, r.events(id))
}

func (r *rig) takeBack(id protocol.SessionID, message protocol.MessageID) protocol.WithdrawCommandReply {
	r.t.Helper()
	reply, err := r.Withdraw(r.t.Context(), protocol.WithdrawCommandRequest{Session: id, Command: protocol.CommandID(message), Actor: "Bob"})
	check(r.t, err)
	return reply
}

// TestTakeBackOrType: messages are taken back at any moment of their delivery. Each is either typed or taken back.
func TestTakeBackOrType(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	e.session.kind.Submit = []byte("S")
	e.session.kind.TypeMessage = func(text string) [][]byte { return [][]byte{[]byte(text)} }
	e.session.kind.ReadBox = func(screen []string) agentkind.Box {
		if shown := strings.Join(screen, ""); strings.HasSuffix(strings.TrimSpace(shown), "S") || strings.TrimSpace(shown) == "ready" {
			return agentkind.BoxEmpty
		}
		return agentkind.BoxDraft
	}
	e.follow()
	e.becomesIdle()
	m := &Manager{sessions: map[protocol.SessionID]*session{e.id: e.session}}
	shown := "ready "
	outcomes := map[protocol.MessageStatus]int{}
	for n := range 16 { // as many as one line of the terminal has room for
		text, after := fmt.Sprintf("m%d", n), time.Duration(rand.IntN(8)-4)*time.Millisecond
		if n < 2 {
			after = []time.Duration{-time.Second, time.Second}[n] // so that each wins once, on every machine
		}
		status := e.takeBackWhileTyping(m, protocol.MessageID(text), after)
		outcomes[status]++
		if status == protocol.MessageDelivered {
			shown += text + "S"
		}
		e.untilShows(strings.TrimSpace(shown)) // no more, and no less
	}
	if outcomes[protocol.MessageDelivered] == 0 || outcomes[protocol.MessageWithdrawn] == 0 {
		t.Errorf("one of the two never won: %v", outcomes)
	}
}

// takeBackWhileTyping takes a queued message back some time after its delivery has begun, or before, and returns what
// became of it.
func (e *echoing) takeBackWhileTyping(m *Manager, id protocol.MessageID, after time.Duration) protocol.MessageStatus {
	e.t.Helper()
	check(e.t, e.note(e.t.Context(), e.client, noteMessage, messageNote{ID: id, Command: protocol.CommandID(id), Text: string(id)}))
	var group sync.WaitGroup
	group.Go(func() {
		time.Sleep(-after)
		if _, err := e.typeNow(e.t.Context(), e.client, id); err != nil {
			e.t.Error(err)
		}
	})
	time.Sleep(after)
	reply, err := m.Withdraw(e.t.Context(), protocol.WithdrawCommandRequest{Session: e.id, Command: protocol.CommandID(id), Actor: "Bob"})
	check(e.t, err)
	group.Wait()
	state, _ := e.messageState(id)
	if told := reply.Message.Status == protocol.MessageWithdrawn; told != (state.Status == protocol.MessageWithdrawn) {
		e.t.Errorf("message %s is said to be %+v, and is %s", id, reply, state.Status)
	}
	return state.Status
}
