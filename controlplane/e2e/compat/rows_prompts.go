package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
)

// dialogAge is how old a dialog must be before it heeds keys; the host agent waits as long.
const dialogAge = time.Second

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
		{"MCP elicitation", "An MCP server's question shows as a dialog, with the hook Elicitation.", "", checkElicitation},
		{"Notification", "Notification fires about 6 s after a dialog appeared.", "", checkNotification},
	}
}

func checkToolHooks(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash touch made")
	before := s.hook("PreToolUse", 1)
	s.reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	after := s.hook("PostToolUse", 1)
	s.hook("Stop", 1)
	evidence := []string{
		s.fields(before, "session_id", "tool_name", "tool_input", "tool_use_id", "permission_mode"),
		s.fields(asked, "session_id", "tool_name", "tool_input", "permission_suggestions"),
		s.fields(after, "tool_name", "tool_input", "tool_use_id", "tool_response"),
	}
	if s.parse(before).ToolUse != s.parse(after).ToolUse || string(s.parse(before).Input) != string(s.parse(asked).Input) {
		s.fail("the call cannot be followed: %s, %s, %s", before.payload, asked.payload, after.payload)
	}
	events := slices.DeleteFunc(s.hooks.events(), func(e string) bool {
		return !slices.Contains([]string{"UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop"}, e)
	})
	if got := strings.Join(events, " "); got != "UserPromptSubmit PreToolUse PermissionRequest PostToolUse Stop" {
		s.fail("hooks came as %s", got)
	}
	return strings.Join(evidence, "; ")
}

func checkToolFailure(s *stage) string {
	s.ready()
	s.reply(s.ask("fake:bash sh -c 'echo > made; exit 3'"), agentkind.Answer{Option: agentkind.OptionAllow})
	return s.fields(s.hook("PostToolUseFailure", 1), "tool_name", "tool_use_id", "error")
}

func checkBeside(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash touch made")
	s.shows("Do you want to proceed?")
	s.sleep(2 * time.Second)
	if !asked.waits() || s.status().Activity != agentkind.ActivityWaiting {
		s.fail("hook waits %v, status %s", asked.waits(), s.status().Activity)
	}
	ask, err := s.kind.ReadAsk(asked.payload)
	s.check(err)
	if ask.Kind != agentkind.AskPermission || ask.Title != "Run touch made" {
		s.fail("the question reads as %+v", ask)
	}
	return "hook waits, " + s.line("Do you want to proceed?")
}

func (s *stage) result(met func(agentkind.Line) bool) agentkind.Line {
	return s.tells("the tool's result", func(l agentkind.Line) bool { return l.Kind == agentkind.LineToolResult && met(l) })
}

func checkAllow(s *stage) string {
	s.ready()
	s.reply(s.ask("fake:bash touch made"), agentkind.Answer{Option: agentkind.OptionAllow})
	s.hook("PostToolUse", 1)
	s.becomes(agentkind.ActivityIdle)
	line := s.result(func(agentkind.Line) bool { return true })
	if !s.made("made") || line.Decided != agentkind.DecidedHook || line.Denied {
		s.fail("made %v, transcript %+v", s.made("made"), line)
	}
	return "ran; transcript: decided by hook; " + s.line("Allowed by")
}

func checkDeny(s *stage) string {
	s.ready()
	s.reply(s.ask("fake:bash touch made ;; text after all"), agentkind.Answer{Option: agentkind.OptionDeny, Text: "use a branch"})
	line := s.result(func(agentkind.Line) bool { return true })
	s.hook("Stop", 1)
	if s.made("made") || !line.Denied || line.Decided != agentkind.DecidedHook || line.Text != "Denied by Alice: use a branch" {
		s.fail("made %v, transcript %+v", s.made("made"), line)
	}
	s.tells("the agent's next words", func(l agentkind.Line) bool { return l.Text == "after all" })
	return "did not run; the agent was told: " + line.Text
}

func checkUpdatedInput(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash touch made")
	s.check(asked.answer([]byte(`{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow","updatedInput":{"command":"touch other","description":"changed"}}}}`)))
	s.hook("PostToolUse", 1)
	if s.made("made") || !s.made("other") {
		s.fail("made %v, other %v", s.made("made"), s.made("other"))
	}
	return "the changed command ran"
}

func checkAllowAlways(s *stage) string {
	s.ready()
	asked := s.ask("fake:write one.txt hello")
	s.reply(asked, agentkind.Answer{Option: agentkind.OptionAcceptEdits})
	s.hook("Stop", 1)
	s.send("fake:write two.txt hello")
	s.hook("Stop", 2)
	if n := len(s.hooks.of(s.kind.HeldHook)); n != 1 || !s.made("two.txt") {
		s.fail("asked %d times, the second file made: %v", n, s.made("two.txt"))
	}
	return "the second edit was not asked about"
}

func checkTerminalFirst(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash sleep 2; touch made")
	s.shows("Do you want to proceed?")
	s.sleep(dialogAge)
	s.keys("1")
	s.becomes(agentkind.ActivityBusy)
	if !asked.waits() {
		s.fail("the hook ended when the terminal answered; we expect it to wait on")
	}
	s.reply(asked, agentkind.Answer{Option: agentkind.OptionDeny})
	s.hook("PostToolUse", 1)
	line := s.result(func(agentkind.Line) bool { return true })
	if !s.made("made") || line.Decided != agentkind.DecidedTerminal {
		s.fail("made %v, transcript %+v", s.made("made"), line)
	}
	return "ran; transcript: decided at the terminal; the hook's deny was ignored"
}

func checkBothAtOnce(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash touch made")
	s.shows("Do you want to proceed?")
	s.sleep(dialogAge)
	s.reply(asked, agentkind.Answer{Option: agentkind.OptionDeny})
	s.keys("1")
	s.hook("Stop", 1)
	line := s.result(func(agentkind.Line) bool { return true })
	denied := line.Decided == agentkind.DecidedHook && line.Denied && !s.made("made")
	allowed := line.Decided == agentkind.DecidedTerminal && !line.Denied && s.made("made")
	if !denied && !allowed {
		s.fail("made %v, transcript %+v", s.made("made"), line)
	}
	return fmt.Sprintf("this time decided by: %s", line.Decided)
}

func checkEscAtDialog(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash touch made")
	s.shows("Do you want to proceed?")
	s.sleep(dialogAge)
	s.keys("\x1b")
	s.until("end of the held hook", func() bool { return !asked.waits() })
	s.becomes(agentkind.ActivityIdle)
	line := s.result(func(agentkind.Line) bool { return true })
	if s.made("made") || !line.Denied || line.Decided != agentkind.DecidedTerminal || len(s.hooks.of("Stop")) > 0 {
		s.fail("made %v, Stop fired %d times, transcript %+v", s.made("made"), len(s.hooks.of("Stop")), line)
	}
	return "hook ended, status idle, no Stop; transcript: denied at the terminal"
}

func checkNoAnswer(s *stage) string {
	s.ready()
	asked := s.ask("fake:bash touch made")
	s.check(asked.answer(nil))
	s.sleep(time.Second)
	s.shows("Do you want to proceed?")
	if s.made("made") || s.status().Activity != agentkind.ActivityWaiting {
		s.fail("made %v, status %s", s.made("made"), s.status().Activity)
	}
	return "the dialog stays"
}

func checkChoices(s *stage) string {
	s.ready()
	for i, test := range []struct {
		script string
		answer agentkind.Answer
		want   string
	}{
		{"fake:ask", agentkind.Answer{Choices: [][]string{{"SQLite"}}}, `="SQLite"`},
		{"fake:ask", agentkind.Answer{Text: "DuckDB please"}, `="DuckDB please"`},
		{"fake:ask2", agentkind.Answer{Choices: [][]string{{"PostgreSQL"}, {"Login", "Search"}}}, `="PostgreSQL"`},
	} {
		s.reply(s.ask(test.script), test.answer)
		s.result(func(l agentkind.Line) bool { return strings.Contains(l.Text, test.want) })
		s.hook("Stop", i+1)
	}
	s.reply(s.ask("fake:ask"), agentkind.Answer{Option: agentkind.OptionDeny, Text: "neither"})
	s.result(func(l agentkind.Line) bool { return l.Text == "Denied by Alice: neither" })
	return s.fields(s.hook("PostToolUse", 1), "tool_name", "tool_input") + "; the model got the answers"
}

func checkPlans(s *stage) string {
	s.mode = "plan"
	s.ready()
	asked := s.ask("fake:planwrite Add a health endpoint ;; exitplan")
	ask, err := s.kind.ReadAsk(asked.payload)
	s.check(err)
	if ask.Kind != agentkind.AskPlan || !strings.Contains(ask.Detail, "health endpoint") {
		s.fail("the plan reads as %+v", ask)
	}
	s.reply(asked, agentkind.Answer{Text: "smaller"})
	s.result(func(l agentkind.Line) bool { return l.Text == "Denied by Alice: smaller" })
	s.hook("Stop", 1)
	s.reply(s.ask("fake:planwrite Less ;; exitplan ;; write made.txt hi"), agentkind.Answer{Option: agentkind.OptionAcceptEdits})
	stop := s.hook("Stop", 2)
	if mode := s.parse(stop).Mode; mode != "acceptEdits" || !s.made("made.txt") {
		s.fail("mode %s, made %v", mode, s.made("made.txt"))
	}
	return "refused with words; approved with mode acceptEdits"
}

func checkSubagent(s *stage) string {
	s.ready()
	asked := s.ask("fake:task fake:bash touch made")
	hook := s.parse(asked)
	if hook.Agent == "" || hook.Subagent == "" {
		s.fail("the subagent's hook does not name it: %s", asked.payload)
	}
	s.reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	evidence := s.fields(s.hook("SubagentStop", 1), "agent_id", "agent_type")
	if !s.made("made") {
		s.fail("the subagent's command did not run")
	}
	return s.fields(asked, "agent_id", "agent_type") + "; " + evidence
}

func checkPreTool(s *stage) string {
	s.hooks.reply(s.kind.JudgedHook, string(s.kind.Verdict(false, "by rule")))
	s.ready()
	s.ask("fake:bash ls")
	s.keys("\x1b")
	s.hooks.reply(s.kind.JudgedHook, string(s.kind.Verdict(true, "against the rules")))
	s.sleep(dialogAge)
	if s.status().Activity == agentkind.ActivityWaiting {
		s.keys("\x1b")
	}
	s.becomes(agentkind.ActivityIdle)
	s.send("fake:bash touch made")
	line := s.result(func(l agentkind.Line) bool { return strings.Contains(l.Text, "against the rules") })
	s.hook("Stop", 1)
	if s.made("made") || len(s.hooks.of(s.kind.HeldHook)) != 1 {
		s.fail("made %v, asked %d times", s.made("made"), len(s.hooks.of(s.kind.HeldHook)))
	}
	return fmt.Sprintf("ask: a dialog for ls; deny: %q", line.Text)
}

func checkHooksStay(s *stage) string {
	s.check(os.MkdirAll(s.path(".claude"), 0o700))
	s.check(os.WriteFile(s.path(".claude/settings.json"), []byte(`{"disableAllHooks":true}`), 0o600))
	s.ready()
	return s.fields(s.send("hello"), "prompt") + ", though the project says disableAllHooks"
}

func checkNotification(s *stage) string {
	s.ready()
	s.ask("fake:bash touch made")
	asked := time.Now()
	f := s.hook("Notification", 1)
	return fmt.Sprintf("%s, %.0f s after", s.fields(f, "message", "notification_type"), time.Since(asked).Seconds())
}
