package main

import (
	"strings"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func formRows() []row {
	return []row{
		{"MCP elicitation", "An MCP server's question fires the hook Elicitation with its form, and then shows as a dialog.",
			agentkind.FeatureForms, checkElicitation},
		{"form answered by its hook", "Of a form that Esc has closed, the hook ElicitationResult decides what the server is told.",
			agentkind.FeatureForms, checkFormAnswer},
		{"form declined by its hook", "The same for a refusal.", agentkind.FeatureForms, checkFormDecline},
		{"form at the terminal", "ElicitationResult fires with what was answered at the terminal.", agentkind.FeatureForms, checkFormAtTerminal},
		{"form with an address", "A question that wants an address opened is answered in the same way.", agentkind.FeatureForms, checkFormURL},
	}
}

// colour is a form that the MCP server asker is to show.
const colour = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"colour":{"type":"string"},"sure":{"type":"boolean"}},"required":["colour"]}}`

// askForm plays a session to where the dialog of an MCP server's question is open, and returns that one's hook.
func askForm(s *stage.Stage, params string) *stage.Fired {
	s.AddAsker()
	s.Ready()
	// The tool itself is asked about first.
	s.Reply(s.Ask("fake:tool mcp__asker__ask "+params), agentkind.Answer{Option: agentkind.OptionAllow})
	asked := s.Hook("Elicitation", 1)
	s.Until("form", func() bool { return s.Kind.ShowsForm(s.Shown().Lines, asked.Payload) })
	s.Sleep(stage.DialogAge)
	return asked
}

// replaceForm closes the form, and has the hook of that say something else. It returns what the server was told.
func replaceForm(s *stage.Stage, asked *stage.Fired, answer agentkind.Answer) string {
	reply, err := s.Kind.Reply(asked.Payload, answer)
	s.Check(err)
	s.Hooks.Reply(s.Kind.FormResultHook, string(reply))
	s.Keys(string(s.Kind.CloseForm))
	return toldServer(s)
}

func toldServer(s *stage.Stage) string {
	return s.Result(func(l agentkind.Line) bool { return strings.Contains(l.Text, `"action"`) }).Text
}

func checkElicitation(s *stage.Stage) string {
	asked := askForm(s, colour)
	status := s.Status()
	if status.Activity != agentkind.ActivityWaiting {
		s.Fail("the status is %s", status.Activity)
	}
	return s.Fields(asked, "mcp_server_name", "message", "mode", "requested_schema") + ", status waiting (" + status.Dialog + ")"
}

func checkFormAnswer(s *stage.Stage) string {
	told := replaceForm(s, askForm(s, colour), agentkind.Answer{Choices: [][]string{{"red"}, {"Yes"}}})
	if told != `{"action":"accept","content":{"colour":"red","sure":true}}` {
		s.Fail("the server was told %s", told)
	}
	var over agentkind.Hook
	s.Until("notice of what the server was told", func() bool {
		for _, f := range s.Hooks.Of("Notification") {
			if hook := s.Parse(f); hook.Kind == agentkind.HookFormOver {
				over = hook
			}
		}
		return over.Server != ""
	})
	if over.Server != "asker" || over.Action != agentkind.FormAccepted {
		s.Fail("its end reads as %+v", over)
	}
	return "Esc, and the server was told " + told
}

func checkFormDecline(s *stage.Stage) string {
	told := replaceForm(s, askForm(s, colour), agentkind.Answer{Option: agentkind.OptionDeny})
	if told != `{"action":"decline"}` {
		s.Fail("the server was told %s", told)
	}
	return "Esc, and the server was told " + told
}

func checkFormAtTerminal(s *stage.Stage) string {
	askForm(s, colour)
	s.Keys(string(s.Kind.CloseForm))
	closed := s.Parse(s.Hook(s.Kind.FormResultHook, 1))
	told := toldServer(s)
	if closed.Kind != agentkind.HookFormAnswered || closed.Action != agentkind.FormCancelled || told != `{"action":"cancel"}` {
		s.Fail("the hook reads as %+v, and the server was told %s", closed, told)
	}
	return "Esc: ElicitationResult says " + closed.Action
}

func checkFormURL(s *stage.Stage) string {
	asked := askForm(s, `{"mode":"url","message":"Log in there","url":"https://example.com/login","elicitationId":"e1"}`)
	told := replaceForm(s, asked, agentkind.Answer{Option: agentkind.OptionAllow})
	if told != `{"action":"accept"}` {
		s.Fail("the server was told %s", told)
	}
	return "Esc, and the server was told " + told
}
