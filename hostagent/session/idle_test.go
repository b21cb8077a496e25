package session

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// sendIfIdle sends a message that is not to wait, and returns why it was refused, if it was.
func (r *rig) sendIfIdle(id protocol.SessionID, message protocol.MessageID, text string) (why string) {
	r.t.Helper()
	_, err := r.SendIfIdle(r.t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: message, Text: text})
	known := (*protocol.Error)(nil)
	if errors.As(err, &known) && known.Code == protocol.CodeConflict {
		return known.Message
	}
	check(r.t, err)
	return ""
}

// TestSendIfIdle: what is not to wait is typed at once into an idle session, and refused by any other, which keeps nothing
// of it.
func TestSendIfIdle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.drawn(id)
	work := protocol.MessageID("work")
	if why := r.sendIfIdle(id, work, "fake:slow 6"); why != "" {
		t.Fatalf("an idle session: %s", why)
	}
	r.message(id, work)
	r.await(id, protocol.StateWorking)
	later := protocol.MessageID("later")
	if why := r.sendIfIdle(id, later, "later"); !strings.Contains(why, "nothing was typed: the agent works; send it when the session is idle") {
		t.Errorf("a session that works: %q", why)
	}
	r.await(id, protocol.StateIdle)
	if why := r.sendIfIdle(id, later, "later"); why != "" {
		t.Errorf("the same message when it is idle: %s", why)
	}
	if got := r.message(id, later); got.Status != protocol.MessageAccepted {
		t.Errorf("message became %v, want accepted", got)
	}
	r.await(id, protocol.StateIdle)

	p := r.attach(id, 0, 0)
	p.types("half a thought")
	r.untilTrue("the draft", func() bool { return strings.Contains(r.screen(id), "half a thought") })
	if why := r.sendIfIdle(id, "beside", "beside a draft"); !strings.Contains(why, hinderedByTyping) && !strings.Contains(why, hinderedByDraft) {
		t.Errorf("beside somebody who types: %q", why)
	}
	r.untilTrue("the draft to be left", func() bool { return r.sendIfIdle(id, "after", "after a draft") == "" })
	if got := r.message(id, "after"); got.Status != protocol.MessageAccepted {
		t.Errorf("message became %v, want accepted", got)
	}
	r.onlyPrompts("fake:slow 6", "later", "after a draft")
	checkGapFree(t, r.events(id))
}

// TestSendIfIdleTogether: of messages that come together, one is typed. None waits.
func TestSendIfIdleTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.drawn(id)
	var group sync.WaitGroup
	var typed [6]string
	for i := range typed {
		group.Go(func() { typed[i] = r.sendIfIdle(id, protocol.MessageID(protocol.NewID()), "fake:slow 2") })
	}
	group.Wait()
	taken := 0
	for _, why := range typed {
		if why == "" {
			taken++
		}
	}
	r.await(id, protocol.StateIdle)
	s, err := r.session(id)
	check(t, err)
	s.view(func(f *fold) {
		if taken != 1 || len(f.messages) != 1 {
			t.Errorf("%d were taken, and %d are known, want 1: %q", taken, len(f.messages), typed)
		}
	})
}

// TestSendIfIdleBeforeItHasDrawn: an agent says that it is idle a moment before its input box is there.
func TestSendIfIdleBeforeItHasDrawn(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	drawn := time.Now().Add(time.Second)
	e.session.kind.ReadBox = func([]string) agentkind.Box {
		if time.Now().Before(drawn) {
			return agentkind.BoxUnseen
		}
		return agentkind.BoxEmpty
	}
	e.session.kind.TypeMessage = func(text string) [][]byte { return [][]byte{[]byte(text)} }
	e.follow()
	e.becomesIdle()
	e.deliverUntilEnd()
	check(t, e.takeIfIdle(t.Context(), messageNote{ID: "m1", Command: "m1", Text: "hello"}))
	if time.Now().Before(drawn) {
		t.Error("typed into a box that is not there")
	}
}
