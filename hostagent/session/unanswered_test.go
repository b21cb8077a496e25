package session

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// TestNobodyAnswers: by a setting of the person's the agent goes on by itself after a while. That is nobody's answer.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.environ = append(r.environ, "CLAUDE_AFK_TIMEOUT_MS=2000", "CLAUDE_AFK_COUNTDOWN_MS=1000")
	r.restart()
	id := r.create("")
	r.send(id, "fake:ask")
	p := r.prompt(id, 1)
	settled := r.settled(p)
	if settled.Outcome != protocol.OutcomeWithdrawn || settled.Where != protocol.WhereNobody || settled.Answer != "" ||
		!strings.Contains(settled.Evidence, "nobody answered for 2s, and the agent went on") {
		t.Errorf("settled as %+v", settled)
	}
	r.refused(protocol.CodeSettled, func() error { return r.answer(p, protocol.Answer{Choices: [][]string{{"SQLite"}}}) })
	r.await(id, protocol.StateIdle)
}

// TestHookTimesOut: when the agent no longer lets the hook wait, its dialog stays open. That is told, and so is that it
// can be answered at the terminal only.
func TestHookTimesOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	kind := agentkind.Claude()
	settings := kind.Settings
	kind.Settings = func(command func(string) string) []byte {
		return bytes.ReplaceAll(settings(command), []byte("86400"), []byte("6"))
	}
	r.with(kind)
	id := r.create("")
	r.send(id, "fake:bash touch made")
	p := r.prompt(id, 1)
	settled := r.settled(p)
	if settled.Outcome != protocol.OutcomeWithdrawn || settled.Where != protocol.WhereNobody || settled.Evidence != "hook closed, but the dialog is open at the terminal" {
		t.Errorf("settled as %+v", settled)
	}
	left := r.prompt(id, 2)
	if left.Kind != protocol.PromptDialog || len(left.Options) > 0 || !strings.Contains(left.Detail, "touch made") || !strings.Contains(left.Detail, "[Answer this at the terminal") {
		t.Errorf("the dialog is told as %+v", left)
	}
	r.refused(protocol.CodeInvalid, func() error { return r.answer(left, protocol.Answer{Option: protocol.OptionAllow}) })
	r.await(id, protocol.StateWaiting)
	if got := r.answerAtTerminal(left, "1"); got.Where != protocol.WhereTerminal || got.Outcome != protocol.OutcomeAnswered {
		t.Errorf("settled as %+v", got)
	}
	r.untilTrue("the command", func() bool { return exists(r.path("made")) })
	r.await(id, protocol.StateIdle)
}

// TestUnreportedDialog: where auto mode cannot check an action the agent asks, and no hook reports that.
func TestUnreportedDialog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("plan")
	r.send(id, `fake:tool Agent {"description":"d","subagent_type":"general-purpose","prompt":"fake:text hi"}`)
	p := r.prompt(id, 1)
	if p.Kind != protocol.PromptDialog || !strings.Contains(p.Detail, "this one needs your approval") {
		t.Errorf("the dialog is told as %+v", p)
	}
	r.await(id, protocol.StateWaiting)
	r.answerAtTerminal(p, "\x1b")
	r.await(id, protocol.StateIdle)
}

// TestAutoModeCannotCheck: before the first action that auto mode cannot check the agent asks how to go on.
func TestAutoModeCannotCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rules := r.Policy
	rules.Modes = append(slices.Clone(rules.Modes), "auto")
	check(t, r.SetPolicy(rules))
	id := r.create("auto")
	r.send(id, "fake:bash curl -s http://127.0.0.1:1/")
	p := r.prompt(id, 1)
	if p.Kind != protocol.PromptDialog || p.Title != "Does the agent stay in auto mode, though its actions cannot be checked?" ||
		len(p.Options) > 0 || !strings.Contains(p.Detail, "[Answer this at the terminal") {
		t.Errorf("it is told as %+v", p)
	}
	if s := r.await(id, protocol.StateWaiting); s.Evidence != "screen: auto mode dialog" {
		t.Errorf("waiting by %q", s.Evidence)
	}
	r.answerAtTerminal(p, "\x1b")
	r.await(id, protocol.StateIdle)
}
