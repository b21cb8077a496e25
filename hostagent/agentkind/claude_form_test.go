package agentkind

import (
	"strings"
	"testing"
)

// TestClaudeForm: an answer is put into the form as its schema wants it, or refused with what is wrong.
func TestClaudeForm(t *testing.T) {
	for name, test := range map[string]struct {
		answer Answer
		want   string // part of the reply, or of the error
	}{
		"all":              {Answer{Choices: [][]string{{"red"}, {"4"}, {"No"}, {"Small"}, {"Bear"}, {"x", "y"}}}, `"content":{"colour":"red","kind":"b","many":4,"size":"s","sure":false,"tags":["x","y"]}`},
		"what may be left": {Answer{Choices: [][]string{{"red"}, {}, {"yes"}, {}, {}, {}}}, `"action":"accept","content":{"colour":"red","many":3,"sure":true}`},
		"declined":         {Answer{Option: OptionDeny}, `"action":"decline"`},
		"declined why":     {Answer{Option: OptionDeny, Text: "not now"}, `"action":"decline"`},
		"too few":          {Answer{Choices: [][]string{{"red"}}}, "6 questions; the answer has 1"},
		"words":            {Answer{Text: "red"}, "6 questions; the answer has 0"},
		"an option":        {Answer{Option: OptionAllow}, `no option "allow"`},
		"nothing":          {Answer{}, "6 questions; the answer has 0"},
		"too large":        {Answer{Choices: [][]string{{"red"}, {"1e300"}, {"Yes"}, {}, {}, {}}}, "many: want 1 to 9"},
		"not a number":     {Answer{Choices: [][]string{{"red"}, {"NaN"}, {"Yes"}, {}, {}, {}}}, `many: "NaN" is no number`},
		"two of one":       {Answer{Choices: [][]string{{"red", "blue"}, {}, {"Yes"}, {}, {}, {}}}, "colour: takes one answer"},
		"required":         {Answer{Choices: [][]string{{""}, {}, {"Yes"}, {}, {}, {}}}, "colour: needs an answer"},
		"none of them":     {Answer{Choices: [][]string{{"red"}, {}, {"Yes"}, {}, {}, {"z"}}}, `tags: "z" is none of x, y`},
	} {
		reply, err := claudeReply(recordedHook(t, "form", "Elicitation"), test.answer)
		got := string(reply)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestClaudeFormUnknown: a form that cannot be filled in from afar is shown, and answered at the terminal.
func TestClaudeFormUnknown(t *testing.T) {
	for schema, want := range map[string]string{
		`{"properties":{"a":{"type":"object"}}}`:                     "its form has a field, a, of a kind that is not known here",
		`{"properties":{"a":{"type":"string","enum":[1,2]}}}`:        "its form cannot be read",
		`{"properties":{"a":{"type":"array","items":{"type":"x"}}}}`: "its form has a field, a, of a kind that is not known here",
		`[]`: "its form cannot be read",
	} {
		payload := []byte(`{"hook_event_name":"Elicitation","mcp_server_name":"asker","message":"Which?","requested_schema":` + schema + `}`)
		ask, err := readClaudeAsk(payload)
		if err != nil || ask.AtTerminal != want || ask.Title != "MCP server asker asks: Which?" {
			t.Errorf("%s reads as %+v, %v", schema, ask, err)
		}
		if _, err := claudeReply(payload, Answer{Text: "1"}); err == nil {
			t.Errorf("%s was answered", schema)
		}
	}
}

// TestClaudeFormHooks reads what the real CLI tells of a form's end.
func TestClaudeFormHooks(t *testing.T) {
	for _, test := range []struct {
		scene, event string
		want         Hook
	}{
		{"form", "ElicitationResult", Hook{Kind: HookFormAnswered, Server: "asker", Action: FormCancelled}},
		{"form", "Notification", Hook{Kind: HookFormOver, Server: "asker", Action: FormAccepted}},
		{"form-declined", "Notification", Hook{Kind: HookFormOver, Server: "asker", Action: FormDeclined}},
		{"form-address", "ElicitationResult", Hook{Kind: HookFormAnswered, Server: "asker", Form: "e1", Action: FormCancelled}},
		{"form-at-terminal", "ElicitationResult", Hook{Kind: HookFormAnswered, Server: "asker", Action: FormAccepted}},
		{"notification", "Notification", Hook{Kind: HookOther}},
	} {
		want := test.want
		got, err := Claude().ReadHook(recordedHook(t, test.scene, test.event))
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind != want.Kind || got.Server != want.Server || got.Form != want.Form || got.Action != want.Action || got.Text != want.Text {
			t.Errorf("%s of %s reads as %+v", test.event, test.scene, got)
		}
	}
	if !ReplacesForm(All(), claudeFormResultHook, []byte(`{"hook_event_name":"ElicitationResult","action":"cancel"}`)) ||
		ReplacesForm(All(), claudeFormResultHook, []byte(`{"hook_event_name":"ElicitationResult","action":"accept"}`)) ||
		ReplacesForm(All(), claudeFormHook, []byte(`{"hook_event_name":"Elicitation"}`)) {
		t.Error("only a form that was closed without an answer takes ours")
	}
}

// FuzzClaudeForm: whatever an MCP server asks for, and whatever is answered, is a reply or an error.
func FuzzClaudeForm(f *testing.F) {
	f.Add(`{"hook_event_name":"Elicitation","requested_schema":{"properties":{"a":{"type":"integer","minimum":1}},"required":["a"]}}`, "red")
	f.Add(`{"hook_event_name":"Elicitation","requested_schema":{"properties":{"a":{"type":"array","items":{}}}}}`, "")
	f.Fuzz(func(_ *testing.T, payload, said string) {
		ask, err := readClaudeAsk([]byte(payload))
		if err != nil {
			return
		}
		answer := Answer{Choices: make([][]string, len(ask.Questions))}
		for i := range answer.Choices {
			answer.Choices[i] = []string{said}
		}
		_, _ = claudeReply([]byte(payload), answer)
	})
}

// TestClaudeFormScreens: the dialog is known by its server and by what it asks.
func TestClaudeFormScreens(t *testing.T) {
	for _, name := range []string{"form", "form-address", "form-at-terminal"} {
		asked := recordedHook(t, name, "Elicitation")
		for _, other := range []string{"form", "form-address", "form-at-terminal", "bash"} {
			screen := scene(t, other).Screens[0].Lines
			if got := claudeShowsForm(screen, asked); got != (name == other) {
				t.Errorf("the form of %s is seen on the screen of %s: %v", name, other, got)
			}
		}
	}
}

// TestClaudeUnanswered: that nobody answered stands in hook and transcript.
func TestClaudeUnanswered(t *testing.T) {
	hook, err := Claude().ReadHook(recordedHook(t, "unanswered", "PostToolUse"))
	if err != nil || hook.Unanswered <= 0 {
		t.Errorf("the hook reads as %+v, %v", hook, err)
	}
	found := false
	for _, text := range scene(t, "unanswered").Transcript {
		lines, err := Claude().ReadTranscript(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			found = found || line.Unanswered > 0
		}
	}
	if !found {
		t.Error("the transcript does not say it")
	}
}

// TestClaudeUnreported: what no hook reports is read off the screen.
func TestClaudeUnreported(t *testing.T) {
	screen := scene(t, "unreported").Screens[0].Lines
	dialog := Claude().ReadUnreported(Status{Dialog: "permission prompt"}, screen)
	if !strings.HasPrefix(dialog.Ask.Detail, "Tool use") || strings.Contains(dialog.Ask.Detail, "╌") || !strings.Contains(dialog.Ask.Detail, "this one needs your approval") || dialog.Ask.AtTerminal == "" {
		t.Errorf("it reads as %+v", dialog.Ask)
	}
}
