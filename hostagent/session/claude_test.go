package session

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/hostagent/protocol"
)

func TestMessageReceipts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	tests := []struct{ name, text, want string }{
		{"one line", "hello there", "hello there"},
		{"several lines", "first\n\tsecond\n\nfourth  ", "first\n    second\n\nfourth"},
		{"emoji and other scripts", "ok 👨‍👩‍👧 🏴 ❤️ שלום مرحبا 漢字 cafe\u0301", "ok 👨‍👩‍👧 🏴 ❤️ שלום مرحبا 漢字 café"},
		{"begins with !", "!touch pwned", "!touch pwned"},
		{"ends in a backslash", `C:\`, `C:\`},
		{"long", strings.Repeat("0123456789 abcdefghij\n", 100) + strings.Repeat("x", 3000), strings.Repeat("0123456789 abcdefghij\n", 100) + strings.Repeat("x", 3000)},
	}
	for _, test := range tests {
		message := r.send(id, test.text)
		if got := r.message(id, message); got.Status != protocol.MessageAccepted {
			t.Fatalf("%s: message became %v, want accepted", test.name, got)
		}
		entry := r.entry(id, test.name, func(e protocol.Entry) bool { return e.Message == message })
		if strings.HasPrefix(test.text, "!") {
			entry.Text = strings.TrimPrefix(entry.Text, " ") // the space that we put there, which the CLI sometimes drops
		}
		want := protocol.Entry{Role: protocol.RoleUser, Text: test.want, Message: message}
		if diff := cmp.Diff(want, entry); diff != "" {
			t.Errorf("%s: entry (-want +got):\n%s", test.name, diff)
		}
	}
	r.await(id, protocol.StateIdle)
	if exists(r.path("pwned")) {
		t.Error("a message that begins with ! was run as a shell command")
	}
	checkGapFree(t, r.events(id))
}

func TestMessagesWhileWorking(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:slow 3")
	r.await(id, protocol.StateWorking)
	second, third := r.send(id, "second"), r.send(id, "third")
	for _, message := range []protocol.MessageID{second, third} {
		if got := r.message(id, message); got.Status != protocol.MessageAccepted {
			t.Errorf("message became %v, want accepted", got)
		}
		r.entry(id, "the message in the transcript", func(e protocol.Entry) bool { return e.Message == message })
	}
	r.await(id, protocol.StateIdle)
}

func TestMessageBeforeReady(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cli, err := claudecli.Find(os.Getenv)
	check(t, err)
	slow := filepath.Join(r.home, "slow")
	check(t, os.WriteFile(slow, []byte("#!/bin/sh\n[ \"$1\" = --version ] || /bin/sleep 5\nexec "+shellQuote(cli)+" \"$@\"\n"), 0o700))
	rules := r.rules()
	rules.Programs = map[string]string{"claude": slow}
	check(t, r.SetPolicy(rules))
	id := r.start(protocol.CreateSessionRequest{WorkingDir: r.project})
	message := r.send(id, "at once")
	if got := r.message(id, message); got.Status != protocol.MessageAccepted || got.Detail != "" {
		t.Errorf("message became %v, want accepted", got)
	}
	r.waited(id, message, "the agent is starting")
}

func TestPermissionAllowed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:bash touch made")
	p := r.prompt(id, 1)
	if state := r.await(id, protocol.StateWaiting); state.Evidence != "hook PermissionRequest" {
		t.Errorf("waiting by %q, want the hook", state.Evidence)
	}
	if p.Kind != protocol.PromptPermission || p.Tool != "Bash" || p.Title != "Run touch made" || !p.AllowsText {
		t.Errorf("prompt = %+v", p)
	}
	r.refused(protocol.CodeConflict, func() error {
		_, err := r.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: "m", Text: "yes"})
		return err
	})
	r.refused(protocol.CodeConflict, func() error {
		other := p
		other.Digest = strings.Repeat("0", 64)
		return r.answer(other, protocol.Answer{Option: protocol.OptionAllow})
	})
	r.refused(protocol.CodeInvalid, func() error { return r.answer(p, protocol.Answer{Option: "sudo"}) })
	check(t, r.answer(p, protocol.Answer{Option: protocol.OptionAllow}))
	got := r.settled(p)
	if got.Outcome != protocol.OutcomeAllowed || got.Where != protocol.WhereRemote || got.Actor != "Alice" {
		t.Errorf("settlement = %+v, want allowed by Alice", got)
	}
	r.await(id, protocol.StateIdle)
	if !exists(r.path("made")) {
		t.Error("the command did not run")
	}
	r.refused(protocol.CodeSettled, func() error { return r.answer(p, protocol.Answer{Option: protocol.OptionDeny}) })
	r.entry(id, "the call", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleToolCall && e.Tool == "Bash" && strings.Contains(string(e.Input), "touch made")
	})
	checkGapFree(t, r.events(id))
}

func TestPermissionDenied(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:bash touch made")
	p := r.prompt(id, 1)
	check(t, r.answer(p, protocol.Answer{Option: protocol.OptionDeny, Text: "use a branch"}))
	got := r.settled(p)
	if got.Outcome != protocol.OutcomeDenied || got.Where != protocol.WhereRemote || got.Answer != "No; use a branch" {
		t.Errorf("settlement = %+v, want denied by Alice", got)
	}
	r.entry(id, "the reason", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleToolResult && e.IsError && e.Text == "Denied by Alice: use a branch"
	})
	r.await(id, protocol.StateIdle)
	if exists(r.path("made")) {
		t.Error("the command ran")
	}
}

func TestAnsweredAtTerminal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:bash sleep 12; touch made")
	p := r.prompt(id, 1)
	got := r.answerAtTerminal(p, "1")
	if got.Outcome != protocol.OutcomeAllowed || got.Where != protocol.WhereTerminal {
		t.Errorf("settlement = %+v, want allowed at the terminal", got)
	}
	if exists(r.path("made")) {
		t.Error("the prompt was settled only after the command was done")
	}
	var err error
	r.refused(protocol.CodeSettled, func() error {
		err = r.answer(p, protocol.Answer{Option: protocol.OptionDeny})
		return err
	})
	if !strings.Contains(err.Error(), "somebody at the terminal") {
		t.Errorf("late answer: %v, want who settled it", err)
	}
	r.await(id, protocol.StateIdle)
	s, err := r.session(id)
	check(t, err)
	r.untilTrue("the hook's release", func() (free bool) {
		s.view(func(f *fold) { free = !f.prompts[p.ID].held })
		return free
	})
}

func TestEscapeInDialog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:bash touch made")
	p := r.prompt(id, 1)
	got := r.answerAtTerminal(p, "\x1b")
	if got.Outcome != protocol.OutcomeDenied || got.Where != protocol.WhereTerminal {
		t.Errorf("settlement = %+v, want denied at the terminal", got)
	}
	r.await(id, protocol.StateIdle)
	if got := r.message(id, r.send(id, "go on")); got.Status != protocol.MessageAccepted {
		t.Errorf("message after Esc became %v, want accepted", got)
	}
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	tests := []struct {
		name   string
		script string
		answer protocol.Answer
		want   string // in the tool's result
		said   string // in the settlement
	}{
		{"option", "fake:ask", protocol.Answer{Choices: [][]string{{"SQLite"}}}, `"Which database should we use?"="SQLite"`, "SQLite"},
		{"words", "fake:ask", protocol.Answer{Text: "DuckDB please"}, `"Which database should we use?"="DuckDB please"`, "DuckDB please"},
		{"two questions", "fake:ask2", protocol.Answer{Choices: [][]string{{"PostgreSQL"}, nil}}, `="PostgreSQL"`, ""},
	}
	for i, test := range tests {
		r.send(id, test.script)
		p := r.prompt(id, i+1)
		if p.Kind != protocol.PromptChoice || p.Questions[0].Text != "Which database should we use?" || p.Questions[0].Options[1].Label != "SQLite" {
			t.Errorf("%s: prompt = %+v", test.name, p)
		}
		answer := test.answer
		if len(p.Questions) == 2 {
			r.refused(protocol.CodeInvalid, func() error { return r.answer(p, answer) })
			q := p.Questions[1]
			answer.Choices[1] = []string{q.Options[0].Label, q.Options[1].Label}
		}
		check(t, r.answer(p, answer))
		got := r.settled(p)
		if got.Outcome != protocol.OutcomeAnswered || got.Where != protocol.WhereRemote || !strings.Contains(got.Answer, test.said) {
			t.Errorf("%s: settlement = %+v", test.name, got)
		}
		r.entry(id, test.name, func(e protocol.Entry) bool {
			return e.Role == protocol.RoleToolResult && strings.Contains(e.Text, test.want)
		})
		r.await(id, protocol.StateIdle)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("plan")
	r.send(id, "fake:planwrite Add a health endpoint ;; fake:exitplan")
	p := r.prompt(id, 1)
	if p.Kind != protocol.PromptPlan || !strings.Contains(p.Detail, "Add a health endpoint") {
		t.Errorf("prompt = %+v", p)
	}
	check(t, r.answer(p, protocol.Answer{Text: "smaller"}))
	if got := r.settled(p); got.Outcome != protocol.OutcomeDenied || got.Where != protocol.WhereRemote {
		t.Errorf("settlement = %+v, want denied", got)
	}
	r.await(id, protocol.StateIdle)

	r.send(id, "fake:planwrite Less ;; fake:exitplan ;; fake:write made.txt hi")
	p = r.prompt(id, 2)
	check(t, r.answer(p, protocol.Answer{Option: "accept_edits"}))
	if got := r.settled(p); got.Outcome != protocol.OutcomeAllowed {
		t.Errorf("settlement = %+v, want allowed", got)
	}
	r.await(id, protocol.StateIdle)
	if !exists(r.path("made.txt")) {
		t.Error("edits were not accepted after the plan")
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	interrupt := protocol.InterruptSessionRequest{Act: act(), Session: id}
	r.refused(protocol.CodeConflict, func() error { _, err := r.Interrupt(t.Context(), interrupt); return err })
	r.send(id, "fake:slow 30")
	r.await(id, protocol.StateWorking)
	// Before it has answered anything, the CLI takes an interrupted message back into its input box.
	r.untilTrue("the answer's beginning", func() bool { return strings.Contains(r.screen(id), "line 2 of a slow answer") })
	_, err := r.Interrupt(t.Context(), interrupt)
	check(t, err)
	r.await(id, protocol.StateIdle)
	r.entry(id, "the interruption", func(e protocol.Entry) bool { return e.Role == protocol.RoleNotice })
}

func TestTerminateAndResume(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "remember me")
	r.entry(id, "the reply", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	r.await(id, protocol.StateIdle)
	r.refused(protocol.CodeConflict, func() error {
		_, err := r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
		return err
	})
	terminate := protocol.TerminateSessionRequest{Act: act(), Session: id}
	for range 2 {
		reply, err := r.Terminate(t.Context(), terminate)
		check(t, err)
		if s := reply.Session; s.State != protocol.StateExited || s.ExitedAt == nil || s.ExitReason != "terminated by Alice" || *s.ExitCode != 143 {
			t.Errorf("terminated session = %+v", s)
		}
	}
	r.refused(protocol.CodeConflict, func() error {
		_, err := r.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: "late", Text: "hello"})
		return err
	})
	resume := protocol.ResumeSessionRequest{Act: act(), Session: id}
	_, err := r.Resume(t.Context(), resume)
	check(t, err)
	_, err = r.Resume(t.Context(), resume) // the same command again acts once
	check(t, err)
	r.refused(protocol.CodeConflict, func() error {
		_, err := r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
		return err
	})
	r.await(id, protocol.StateIdle)
	message := r.send(id, "still there?")
	if got := r.message(id, message); got.Status != protocol.MessageAccepted {
		t.Errorf("message after resuming became %v, want accepted", got)
	}
	r.entry(id, "the message", func(e protocol.Entry) bool { return e.Message == message })
	r.await(id, protocol.StateIdle)
	checkGapFree(t, r.events(id))
	users := 0
	for _, e := range r.events(id) {
		if e.Kind == protocol.EventEntry && decode[protocol.Entry](r, e).Role == protocol.RoleUser {
			users++
		}
	}
	if users != 2 {
		t.Errorf("%d messages in the transcript, want 2", users)
	}
}

func TestResumeWithoutConversation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	_, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id, Force: true})
	check(t, err)
	_, err = r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.await(id, protocol.StateIdle)
}

func TestTrustDialog(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		option string
		want   protocol.Outcome
		state  protocol.State
	}{
		{protocol.OptionAllow, protocol.OutcomeAllowed, protocol.StateIdle},
		{protocol.OptionDeny, protocol.OutcomeDenied, protocol.StateExited},
	} {
		t.Run(test.option, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			strange := r.home + "/strange"
			check(t, os.Mkdir(strange, 0o700))
			id := r.start(protocol.CreateSessionRequest{WorkingDir: strange})
			p := r.prompt(id, 1)
			if p.Kind != protocol.PromptTrust || !strings.Contains(p.Detail, strange) {
				t.Errorf("prompt = %+v", p)
			}
			check(t, r.answer(p, protocol.Answer{Option: test.option}))
			if got := r.settled(p); got.Outcome != test.want || got.Where != protocol.WhereRemote {
				t.Errorf("settlement = %+v, want %s", got, test.want)
			}
			r.await(id, test.state)
		})
	}
}

func TestDraftIsPutAside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.atTerminal(id, "half a thought")
	r.untilTrue("the draft", func() bool { return strings.Contains(r.screen(id), "half a thought") })
	message := r.send(id, "from elsewhere")
	if got := r.message(id, message); got.Status != protocol.MessageAccepted {
		t.Errorf("message became %v, want accepted", got)
	}
	r.entry(id, "the message alone", func(e protocol.Entry) bool { return e.Message == message && e.Text == "from elsewhere" })
	r.untilTrue("the draft again", func() bool { return strings.Contains(r.screen(id), "half a thought") })
}

func TestSubagentPrompt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:task fake:bash touch made")
	p := r.prompt(id, 1)
	if p.Subagent != "general-purpose" {
		t.Errorf("prompt of subagent %q", p.Subagent)
	}
	check(t, r.answer(p, protocol.Answer{Option: protocol.OptionAllow}))
	if got := r.settled(p); got.Outcome != protocol.OutcomeAllowed || got.Where != protocol.WhereRemote {
		t.Errorf("settlement = %+v, want allowed by Alice", got)
	}
	r.untilTrue("the command", func() bool { return exists(r.path("made")) })
}

// TestBackgroundAgent: a subagent that works on when the main agent's turn is over keeps the session at work. What it
// asks is a prompt, and a message is taken before and after, but not while that is open.
func TestBackgroundAgent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:task fake:wait 10 ,, bash touch made ;; text I go on")
	r.told(id, protocol.StateIdle, "hook Stop")
	r.told(id, protocol.StateWorking, "status file says busy, with 1 background tasks")
	p := r.prompt(id, 1)
	if s := r.await(id, protocol.StateWaiting); p.Subagent != "general-purpose" || s.Confidence != protocol.ConfidenceHigh {
		t.Errorf("%s (%s) for the prompt of subagent %q", s.State, s.Confidence, p.Subagent)
	}
	r.refused(protocol.CodeConflict, func() error {
		_, err := r.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: protocol.MessageID(protocol.NewID()), Text: "hello"})
		return err
	})
	check(t, r.answer(p, protocol.Answer{Option: protocol.OptionAllow}))
	if got := r.settled(p); got.Outcome != protocol.OutcomeAllowed || got.Where != protocol.WhereRemote {
		t.Errorf("settled as %+v", got)
	}
	r.untilTrue("the command", func() bool { return exists(r.path("made")) })
	if got := r.message(id, r.send(id, "hello there")); got.Status != protocol.MessageAccepted {
		t.Errorf("the message is %+v", got)
	}
	r.await(id, protocol.StateIdle)
}

func (r *rig) screen(id protocol.SessionID) string {
	r.t.Helper()
	reply, err := r.Screen(r.t.Context(), protocol.ReadScreenRequest{Session: id})
	check(r.t, err)
	return strings.Join(reply.Lines, "\n")
}

// refused checks that a call fails with this code.
func (r *rig) refused(code protocol.Code, call func() error) {
	r.t.Helper()
	err := call()
	known := (*protocol.Error)(nil)
	if !errors.As(err, &known) || known.Code != code {
		r.t.Errorf("error %v, want one of code %s", err, code)
	}
}

func checkGapFree(t *testing.T, events []protocol.Event) {
	t.Helper()
	for i, e := range events {
		if e.Seq != uint64(i+1) {
			t.Errorf("event %d has seq %d", i+1, e.Seq)
		}
	}
}

// TestClear: a person clears the conversation, which gives it another id and another transcript.
func TestClear(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	before := r.send(id, "before")
	r.entry(id, "the first message", func(e protocol.Entry) bool { return e.Message == before })
	r.entry(id, "the first answer", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	r.await(id, protocol.StateIdle)
	r.atTerminal(id, "/clear")
	r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(id), "❯ /clear") })
	r.atTerminal(id, "\r")
	s, err := r.session(id)
	check(t, err)
	r.untilTrue("the new conversation", func() (cleared bool) {
		s.view(func(f *fold) { cleared = f.process.Session != string(id) })
		return cleared
	})
	after := r.send(id, "after")
	r.entry(id, "the second message", func(e protocol.Entry) bool { return e.Message == after })
	r.await(id, protocol.StateIdle)
	_, err = r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id})
	check(t, err)
	_, err = r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.await(id, protocol.StateIdle)
	r.untilTrue("the conversation", func() bool { return strings.Contains(r.screen(id), "after") })
	if text := r.screen(id); strings.Contains(text, "before") {
		t.Errorf("resumed another conversation:\n%s", text)
	}
	checkNoDoubles(r, r.events(id))
}

// TestTerminateAtAnyTime ends sessions while something else is being done to them.
func TestTerminateAtAnyTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, force := range []bool{false, true} {
		id := r.create("")
		message := r.send(id, "hello")
		reply, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id, Force: force})
		check(t, err)
		reason := map[bool]string{false: "terminated by Alice", true: "killed by Alice"}[force]
		if s := reply.Session; s.State != protocol.StateExited || s.ExitReason != reason {
			t.Errorf("terminated session is %s: %s, want %s", s.State, s.ExitReason, reason)
		}
		r.message(id, message)
	}
}
