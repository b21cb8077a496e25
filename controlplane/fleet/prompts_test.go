package fleet_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestFirstAnswerWins(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	p := h.asks(s.ID)

	var group sync.WaitGroup
	var won atomic.Int32
	for i := range 64 {
		group.Go(func() {
			response := []string{"yes", "no"}[i%2]
			_, err := w.AnswerPrompt(t.Context(), alice, string(p.ID), response)
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "was answered by alice at 20"):
				t.Errorf("a late answer gets %v", err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 || h.count("answer_prompt") != 1 {
		t.Errorf("%d answers won and the host got %d; want 1 and 1", won.Load(), h.count("answer_prompt"))
	}
	got := must(w.Prompt(t.Context(), alice, p.ID))(t)
	if got.Status != protocol.PromptAnswering || got.AnsweredBy != alice.User || got.Answer == nil {
		t.Errorf("the prompt is %s, answered by %q", got.Status, got.AnsweredBy)
	}
}

func TestPromptIsSettledByEvidence(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s, other := w.session(alice, h, "web-app"), w.session(alice, h, "api")
	p := h.asks(s.ID)
	settled := protocol.Settlement{
		Prompt: p.ID, Outcome: protocol.OutcomeDenied, Where: protocol.WhereTerminal, Answer: "No",
		Evidence: "hook PostToolUse", At: time.Now().UTC(),
	}
	h.say(other.ID, protocol.EventSettlement, settled) // not that session's prompt
	if open := must(w.Prompts(t.Context(), alice, "mac-1", ""))(t); len(open) != 1 || open[0].ID != p.ID {
		t.Fatalf("open prompts: %+v", open)
	}
	h.say(s.ID, protocol.EventSettlement, settled)
	if open := must(w.Prompts(t.Context(), alice, "", s.Handle))(t); len(open) != 0 {
		t.Errorf("open prompts: %+v", open)
	}
	_, err := w.AnswerPrompt(t.Context(), alice, string(p.ID), "yes")
	if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "denied (No) at the terminal") {
		t.Errorf("error %v, want who settled it and how", err)
	}
	later := settled
	later.Outcome = protocol.OutcomeAllowed
	h.say(s.ID, protocol.EventSettlement, later)
	if got := must(w.Prompt(t.Context(), alice, p.ID))(t); got.Settlement.Outcome != protocol.OutcomeDenied {
		t.Errorf("a second settlement made it %s", got.Settlement.Outcome)
	}
}

// Who names only the session learns that somebody else was quicker, but not what is long past.
func TestAnswerToASessionWhosePromptIsSettled(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	for _, where := range []protocol.Settlement{
		{Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: "bob", At: time.Now().Add(-time.Minute)},
		{Outcome: protocol.OutcomeDenied, Where: protocol.WhereTerminal, At: time.Now()},
	} {
		where.Prompt = h.asks(s.ID).ID
		h.say(s.ID, protocol.EventSettlement, where)
	}
	_, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes")
	if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "(Bash wants to run make test) was settled at 20") ||
		!strings.HasSuffix(err.Error(), ": denied at the terminal") {
		t.Errorf("error %v, want when and where the last one was settled", err)
	}
	w.Now = func() time.Time { return time.Now().Add(11 * time.Minute) }
	_, err = w.AnswerPrompt(t.Context(), alice, s.Handle, "yes")
	if want := "session " + s.Handle + " has no open prompt"; !errors.Is(err, fleet.ErrConflict) || err.Error() != want {
		t.Errorf("later: error %v, want %s", err, want)
	}
}

func TestAnswerThatDoesNotArrive(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	p := h.asks(s.ID)

	h.setRefuse(protocol.Errorf(protocol.CodeRefused, "this host's owner answers himself"))
	_, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes")
	var refused *protocol.Error
	if !errors.As(err, &refused) {
		t.Errorf("error %v, want the host's", err)
	}
	if got := must(w.Prompt(t.Context(), alice, p.ID))(t); got.Status != protocol.PromptAsked || got.Answer != nil {
		t.Errorf("after a refusal the prompt is %s", got.Status)
	}

	h.setRefuse(protocol.Errorf(protocol.CodeInternal, "the disk is full"))
	if _, err = w.AnswerPrompt(t.Context(), alice, s.Handle, "yes"); err == nil {
		t.Error("no error when the outcome is unknown")
	}
	if got := must(w.Prompt(t.Context(), alice, p.ID))(t); got.Status != protocol.PromptAnswering {
		t.Errorf("with an unknown outcome the prompt is %s", got.Status)
	}
	h.setRefuse(nil)
	if _, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("a repeat at once: error %v, want conflict", err)
	}
	w.Now = func() time.Time { return time.Now().Add(time.Minute) }
	if _, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "no"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("another answer: error %v, want conflict", err)
	}
	if _, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes"); err != nil {
		t.Errorf("the same answer later: %v", err)
	}
}

func TestAnswerToAHostThatIsAway(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	p := h.asks(s.ID)
	h.offline()
	if _, err := w.AnswerPrompt(t.Context(), alice, string(p.ID), "yes"); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("error %v, want unavailable", err)
	}
	if got := must(w.Prompt(t.Context(), alice, p.ID))(t); got.Status != protocol.PromptAsked {
		t.Errorf("the prompt is %s, want asked", got.Status)
	}
}

// TestRepeatOfAnAnswerOfUnknownFate: that it does not arrive again says nothing of the first time.
func TestRepeatOfAnAnswerOfUnknownFate(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	share(t, w, alice, bob, fleet.AccessOperator)
	p := h.asks(w.session(alice, h, "web-app").ID)
	h.setGarbled(true)
	if _, err := w.AnswerPrompt(t.Context(), alice, string(p.ID), "yes"); err == nil {
		t.Fatal("an answer that was not confirmed is said to have been")
	}
	h.setGarbled(false)
	h.setRefuse(protocol.Errorf(protocol.CodeUnavailable, "another command takes too long"))
	w.Now = func() time.Time { return time.Now().Add(time.Minute) }
	_, err := w.AnswerPrompt(t.Context(), alice, string(p.ID), "yes")
	if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "not known yet") {
		t.Errorf("the same answer again: %v, want that its outcome is not known", err)
	}
	h.setRefuse(nil)
	if _, err := w.AnswerPrompt(t.Context(), bob, string(p.ID), "no"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("another answer: %v, want conflict", err)
	}
}

// TestRepeatedAnswerIsNotTheNextPrompts sends an answer again that names the session, after it has taken effect.
func TestRepeatedAnswerIsNotTheNextPrompts(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	first := h.asks(s.ID)
	must(w.AnswerPrompt(t.Context(), alice, s.Handle, "yes"))(t)
	second := h.asks(s.ID)
	refused := func(when string) {
		t.Helper()
		_, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes")
		if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), string(second.ID)) {
			t.Errorf("%s: error %v, want a conflict that names the next prompt", when, err)
		}
	}
	refused("before the first one is settled")
	h.say(s.ID, protocol.EventSettlement, protocol.Settlement{
		Prompt: first.ID, Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: "alice", At: time.Now(),
	})
	refused("after it")
	if got := must(w.Prompt(t.Context(), alice, second.ID))(t); got.Status != protocol.PromptAsked {
		t.Fatalf("the next prompt is %s", got.Status)
	}
	must(w.AnswerPrompt(t.Context(), alice, string(second.ID), "yes"))(t)
	third := h.asks(s.ID)
	if got := must(w.AnswerPrompt(t.Context(), alice, s.Handle, "no"))(t); got.ID != third.ID {
		t.Errorf("another answer went to %s, want %s", got.ID, third.ID)
	}
	fourth := h.asks(s.ID)
	w.Now = func() time.Time { return time.Now().Add(5 * time.Minute) }
	if got := must(w.AnswerPrompt(t.Context(), alice, s.Handle, "no"))(t); got.ID != fourth.ID {
		t.Errorf("the same answer later went to %s, want %s", got.ID, fourth.ID)
	}
}

func TestWhichPromptIsMeant(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	if _, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("no prompt: error %v, want conflict", err)
	}
	first, second := h.asks(s.ID), h.asks(s.ID)
	_, err := w.AnswerPrompt(t.Context(), alice, s.Handle, "yes")
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), string(second.ID)) {
		t.Errorf("two prompts: error %v, want both", err)
	}
	must(w.AnswerPrompt(t.Context(), alice, string(first.ID), "yes"))(t)
	if got := must(w.AnswerPrompt(t.Context(), alice, s.Handle, "no, later"))(t); got.ID != second.ID {
		t.Errorf("answered %s, want the one that is still asked: %s", got.ID, second.ID)
	}
	third := h.asks(s.ID)
	h.is(s.ID, protocol.StateExited)
	if _, err := w.AnswerPrompt(t.Context(), alice, string(third.ID), "yes"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("after the exit: error %v, want conflict", err)
	}
	if open := must(w.Prompts(t.Context(), alice, "", ""))(t); len(open) != 0 {
		t.Errorf("open prompts of an exited session: %+v", open)
	}
	if _, err := w.AnswerPrompt(t.Context(), alice, string(third.ID), "perhaps\x00"); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("bad response: error %v, want invalid", err)
	}
}
