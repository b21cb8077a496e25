package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func promptRows() []row {
	return []row{
		{"hooks of a tool", "PreToolUse, PermissionRequest and PostToolUse fire in this order and name tool, input and, but for the question, the call.",
			agentkind.FeaturePrompts, checkToolHooks},
		{"failed tool", "PostToolUseFailure fires for a command that fails.", agentkind.FeatureReasons, checkToolFailure},
		{"hook beside dialog", "PermissionRequest waits while the dialog is open at the terminal.", agentkind.FeaturePrompts, checkBeside},
		{"allow", "An allow through the hook closes the dialog and runs the tool; the transcript says so.", agentkind.FeaturePrompts, checkAllow},
		{"deny", "A deny through the hook does not run the tool, tells the agent why, and the turn goes on.", agentkind.FeaturePrompts, checkDeny},
		{"changed input", "An allow may change the tool's input.", "", checkUpdatedInput},
		{"allow always", "The suggestions, given back, take effect for the session.", agentkind.FeaturePrompts, checkAllowAlways},
		{"terminal first", "An answer at the terminal runs the tool; the hook's later answer is ignored.", agentkind.FeaturePrompts, checkTerminalFirst},
		{"both at once", "Of an answer through the hook and one at the terminal one wins, and the transcript says which.", agentkind.FeaturePrompts, checkBothAtOnce},
		{"Esc at a dialog", "Esc ends the held hook, and the status file alone says idle.", agentkind.FeaturePrompts, checkEscAtDialog},
		{"hook without answer", "A hook that ends without an answer leaves the dialog.", agentkind.FeaturePrompts, checkNoAnswer},
		{"AskUserQuestion", "Answers through the hook are taken, for one question and several, in options and words.", agentkind.FeatureChoices, checkChoices},
		{"plan approval", "A plan is approved through the hook, also with a change of mode, and refused with words.", agentkind.FeaturePlans, checkPlans},
		{"subagent", "A subagent's hooks name it, its prompt is answered through the hook, and SubagentStop comes.", agentkind.FeaturePrompts, checkSubagent},
		{"PreToolUse deny and ask", "PreToolUse may deny a tool, or have it asked about that would not be.", agentkind.FeatureRules, checkPreTool},
		{"hooks stay on", "A project's settings cannot switch our hooks off.", agentkind.FeatureRules, checkHooksStay},
		{"Notification", "Notification fires about 6 s after a dialog appeared.", "", checkNotification},
	}
}

func checkToolHooks(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash touch made")
	before := s.Hook("PreToolUse", 1)
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	after := s.Hook("PostToolUse", 1)
	s.Hook("Stop", 1)
	evidence := []string{
		s.Fields(before, "session_id", "tool_name", "tool_input", "tool_use_id", "permission_mode"),
		s.Fields(asked, "session_id", "tool_name", "tool_input", "permission_suggestions"),
		s.Fields(after, "tool_name", "tool_input", "tool_use_id", "tool_response"),
	}
	if s.Parse(before).ToolUse != s.Parse(after).ToolUse || string(s.Parse(before).Input) != string(s.Parse(asked).Input) {
		s.Fail("the call cannot be followed: %s, %s, %s", before.Payload, asked.Payload, after.Payload)
	}
	events := slices.DeleteFunc(s.Hooks.Events(), func(e string) bool {
		return !slices.Contains([]string{"UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop"}, e)
	})
	if got := strings.Join(events, " "); got != "UserPromptSubmit PreToolUse PermissionRequest PostToolUse Stop" {
		s.Fail("hooks came as %s", got)
	}
	return strings.Join(evidence, "; ")
}

func checkToolFailure(s *stage.Stage) string {
	s.Ready()
	s.Reply(s.Ask("fake:bash sh -c 'echo > made; exit 3'"), agentkind.Answer{Option: agentkind.OptionAllow})
	return s.Fields(s.Hook("PostToolUseFailure", 1), "tool_name", "tool_use_id", "error")
}

func checkBeside(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash touch made")
	s.Shows("Do you want to proceed?")
	s.Sleep(2 * time.Second)
	if !asked.Waits() || s.Status().Activity != agentkind.ActivityWaiting {
		s.Fail("hook waits %v, status %s", asked.Waits(), s.Status().Activity)
	}
	ask, err := s.Kind.ReadAsk(asked.Payload)
	s.Check(err)
	if ask.Kind != agentkind.AskPermission || ask.Title != "Run touch made" {
		s.Fail("the question reads as %+v", ask)
	}
	return "hook waits, " + s.Line("Do you want to proceed?")
}

func checkAllow(s *stage.Stage) string {
	s.Ready()
	s.Reply(s.Ask("fake:bash touch made"), agentkind.Answer{Option: agentkind.OptionAllow})
	s.Hook("PostToolUse", 1)
	s.Becomes(agentkind.ActivityIdle)
	line := s.Result(func(agentkind.Line) bool { return true })
	if !s.Made("made") || line.Decided != agentkind.DecidedHook || line.Denied {
		s.Fail("made %v, transcript %+v", s.Made("made"), line)
	}
	return "ran; transcript: decided by hook; " + s.Line("Allowed by")
}

func checkDeny(s *stage.Stage) string {
	s.Ready()
	s.Reply(s.Ask("fake:bash touch made ;; text after all"), agentkind.Answer{Option: agentkind.OptionDeny, Text: "use a branch"})
	line := s.Result(func(agentkind.Line) bool { return true })
	s.Hook("Stop", 1)
	if s.Made("made") || !line.Denied || line.Decided != agentkind.DecidedHook || line.Text != "Denied by Alice: use a branch" {
		s.Fail("made %v, transcript %+v", s.Made("made"), line)
	}
	s.Tells("the agent's next words", func(l agentkind.Line) bool { return l.Text == "after all" })
	return "did not run; the agent was told: " + line.Text
}

func checkUpdatedInput(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash touch made")
	s.Check(asked.Answer([]byte(`{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow","updatedInput":{"command":"touch other","description":"changed"}}}}`)))
	s.Hook("PostToolUse", 1)
	if s.Made("made") || !s.Made("other") {
		s.Fail("made %v, other %v", s.Made("made"), s.Made("other"))
	}
	return "the changed command ran"
}

func checkAllowAlways(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:write one.txt hello")
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionAcceptEdits})
	s.Hook("Stop", 1)
	s.Send("fake:write two.txt hello")
	s.Hook("Stop", 2)
	if n := len(s.Hooks.Of(s.Kind.HeldHook)); n != 1 || !s.Made("two.txt") {
		s.Fail("asked %d times, the second file made: %v", n, s.Made("two.txt"))
	}
	return "the second edit was not asked about"
}

func checkTerminalFirst(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash sleep 2; touch made")
	s.Shows("Do you want to proceed?")
	s.Sleep(stage.DialogAge)
	s.Keys("1")
	s.Becomes(agentkind.ActivityBusy)
	if !asked.Waits() {
		s.Fail("the hook ended when the terminal answered; we expect it to wait on")
	}
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionDeny})
	s.Hook("PostToolUse", 1)
	line := s.Result(func(agentkind.Line) bool { return true })
	if !s.Made("made") || line.Decided != agentkind.DecidedTerminal {
		s.Fail("made %v, transcript %+v", s.Made("made"), line)
	}
	return "ran; transcript: decided at the terminal; the hook's deny was ignored"
}

func checkBothAtOnce(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash touch made")
	s.Shows("Do you want to proceed?")
	s.Sleep(stage.DialogAge)
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionDeny})
	s.Keys("1")
	s.Hook("Stop", 1)
	line := s.Result(func(agentkind.Line) bool { return true })
	denied := line.Decided == agentkind.DecidedHook && line.Denied && !s.Made("made")
	allowed := line.Decided == agentkind.DecidedTerminal && !line.Denied && s.Made("made")
	if !denied && !allowed {
		s.Fail("made %v, transcript %+v", s.Made("made"), line)
	}
	return fmt.Sprintf("this time decided by: %s", line.Decided)
}

func checkEscAtDialog(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash touch made")
	s.Shows("Do you want to proceed?")
	s.Sleep(stage.DialogAge)
	s.Keys("\x1b")
	s.Until("end of the held hook", func() bool { return !asked.Waits() })
	s.Becomes(agentkind.ActivityIdle)
	line := s.Result(func(agentkind.Line) bool { return true })
	if s.Made("made") || !line.Denied || line.Decided != agentkind.DecidedTerminal || len(s.Hooks.Of("Stop")) > 0 {
		s.Fail("made %v, Stop fired %d times, transcript %+v", s.Made("made"), len(s.Hooks.Of("Stop")), line)
	}
	return "hook ended, status idle, no Stop; transcript: denied at the terminal"
}

func checkNoAnswer(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:bash touch made")
	s.Check(asked.Answer(nil))
	s.Sleep(time.Second)
	s.Shows("Do you want to proceed?")
	if s.Made("made") || s.Status().Activity != agentkind.ActivityWaiting {
		s.Fail("made %v, status %s", s.Made("made"), s.Status().Activity)
	}
	return "the dialog stays"
}

func checkChoices(s *stage.Stage) string {
	s.Ready()
	for i, test := range []struct {
		script string
		answer agentkind.Answer
		want   string
	}{
		{"fake:ask", agentkind.Answer{Choices: [][]string{{"SQLite"}}}, `="SQLite"`},
		{"fake:ask", agentkind.Answer{Text: "DuckDB please"}, `="DuckDB please"`},
		{"fake:ask2", agentkind.Answer{Choices: [][]string{{"PostgreSQL"}, {"Login", "Search"}}}, `="PostgreSQL"`},
	} {
		s.Reply(s.Ask(test.script), test.answer)
		s.Result(func(l agentkind.Line) bool { return strings.Contains(l.Text, test.want) })
		s.Hook("Stop", i+1)
	}
	s.Reply(s.Ask("fake:ask"), agentkind.Answer{Option: agentkind.OptionDeny, Text: "neither"})
	s.Result(func(l agentkind.Line) bool { return l.Text == "Denied by Alice: neither" })
	return s.Fields(s.Hook("PostToolUse", 1), "tool_name", "tool_input") + "; the model got the answers"
}

func checkPlans(s *stage.Stage) string {
	s.Mode = "plan"
	s.Ready()
	asked := s.Ask("fake:planwrite Add a health endpoint ;; exitplan")
	ask, err := s.Kind.ReadAsk(asked.Payload)
	s.Check(err)
	if ask.Kind != agentkind.AskPlan || !strings.Contains(ask.Detail, "health endpoint") {
		s.Fail("the plan reads as %+v", ask)
	}
	s.Reply(asked, agentkind.Answer{Text: "smaller"})
	s.Result(func(l agentkind.Line) bool { return l.Text == "Denied by Alice: smaller" })
	s.Hook("Stop", 1)
	s.Reply(s.Ask("fake:planwrite Less ;; exitplan ;; write made.txt hi"), agentkind.Answer{Option: agentkind.OptionAcceptEdits})
	stop := s.Hook("Stop", 2)
	if mode := s.Parse(stop).Mode; mode != "acceptEdits" || !s.Made("made.txt") {
		s.Fail("mode %s, made %v", mode, s.Made("made.txt"))
	}
	return "refused with words; approved with mode acceptEdits"
}

func checkSubagent(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:task fake:bash touch made")
	hook := s.Parse(asked)
	if hook.Agent == "" || hook.Subagent == "" {
		s.Fail("the subagent's hook does not name it: %s", asked.Payload)
	}
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	evidence := s.Fields(s.Hook("SubagentStop", 1), "agent_id", "agent_type")
	if !s.Made("made") {
		s.Fail("the subagent's command did not run")
	}
	return s.Fields(asked, "agent_id", "agent_type") + "; " + evidence
}

func checkPreTool(s *stage.Stage) string {
	s.Hooks.Reply(s.Kind.JudgedHook, string(s.Kind.Verdict(false, "by rule")))
	s.Ready()
	s.Ask("fake:bash ls")
	s.Keys("\x1b")
	s.Hooks.Reply(s.Kind.JudgedHook, string(s.Kind.Verdict(true, "against the rules")))
	s.Sleep(stage.DialogAge)
	if s.Status().Activity == agentkind.ActivityWaiting {
		s.Keys("\x1b")
	}
	s.Becomes(agentkind.ActivityIdle)
	s.Send("fake:bash touch made")
	line := s.Result(func(l agentkind.Line) bool { return strings.Contains(l.Text, "against the rules") })
	s.Hook("Stop", 1)
	if s.Made("made") || len(s.Hooks.Of(s.Kind.HeldHook)) != 1 {
		s.Fail("made %v, asked %d times", s.Made("made"), len(s.Hooks.Of(s.Kind.HeldHook)))
	}
	return fmt.Sprintf("ask: a dialog for ls; deny: %q", line.Text)
}

func checkHooksStay(s *stage.Stage) string {
	s.Check(os.MkdirAll(s.Path(".claude"), 0o700))
	s.Check(os.WriteFile(s.Path(".claude/settings.json"), []byte(`{"disableAllHooks":true}`), 0o600))
	s.Ready()
	return s.Fields(s.Send("hello"), "prompt") + ", though the project says disableAllHooks"
}

func checkNotification(s *stage.Stage) string {
	s.Ready()
	s.Ask("fake:bash touch made")
	asked := time.Now()
	f := s.Hook("Notification", 1)
	return fmt.Sprintf("%s, %.0f s after", s.Fields(f, "message", "notification_type"), time.Since(asked).Seconds())
}
