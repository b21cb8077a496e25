package agentkind

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// hookSamples are payloads as the CLI sent them, by event and case.
func hookSamples(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("testdata/claude/hooks.json")
	if err != nil {
		t.Fatal(err)
	}
	var samples map[string]json.RawMessage
	if err := json.Unmarshal(text, &samples); err != nil {
		t.Fatal(err)
	}
	return samples
}

func TestClaudeHooks(t *testing.T) {
	for name, payload := range hookSamples(t) {
		event, _, _ := strings.Cut(name, ":")
		hook, err := Claude().ReadHook(payload)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want, known := claudeHookKinds[event]
		if !known {
			want = HookOther
		}
		if hook.Event != event || hook.Kind != want || hook.Session == "" || hook.Transcript == "" {
			t.Errorf("%s: hook = %+v", name, hook)
		}
		if strings.HasSuffix(name, ":subagent") && hook.Agent == "" {
			t.Errorf("%s: no agent", name)
		}
	}
}

func TestClaudeSettings(t *testing.T) {
	text := Claude().Settings(func(event string) string { return "run " + event })
	var settings struct {
		Hooks map[string][]claudeHookMatcher `json:"hooks"`
	}
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	want := []claudeHookMatcher{{Hooks: []claudeHookCommand{{Type: "command", Command: "run PermissionRequest", Timeout: 86400}}}}
	if diff := cmp.Diff(want, settings.Hooks["PermissionRequest"]); diff != "" {
		t.Errorf("PermissionRequest (-want +got):\n%s", diff)
	}
	if hook := settings.Hooks["Stop"][0].Hooks[0]; hook.Command != "run Stop" || hook.Timeout != 0 {
		t.Errorf("Stop = %+v", hook)
	}
}

func TestClaudeAsks(t *testing.T) {
	session := "for the rest of this session"
	acceptEdits := Option{ID: "accept_edits", Label: "Yes, and accept edits", Effect: acceptEditsEffect, Mode: "acceptEdits"}
	yes, no := Option{ID: "allow", Label: "Yes"}, Option{ID: "deny", Label: "No"}
	tests := map[string]Ask{
		"PermissionRequest:Bash": {
			Kind: AskPermission, Tool: "Bash", Title: "Run touch x", Detail: "touch x\n\n(the agent says: Run touch)", AllowsText: true,
			Options: []Option{yes, {ID: "allow_always", Label: "Yes, and allow access to proj4", Effect: "allows access to /home/dev/proj4 without asking, " + session}, acceptEdits, no},
		},
		"PermissionRequest:Write": {
			Kind: AskPermission, Tool: "Write", Title: "Write a.txt", Detail: "/home/dev/proj4/a.txt\n\nhello", AllowsText: true,
			Options: []Option{yes, acceptEdits, no},
		},
		"PermissionRequest:AskUserQuestion": {
			Kind: AskChoice, Tool: "AskUserQuestion", Title: "Which database should we use?", AllowsText: true,
			Options: []Option{{ID: "deny", Label: "Decline to answer"}},
			Questions: []Question{{Header: "Database", Text: "Which database should we use?", Options: []QuestionOption{
				{"PostgreSQL", "Relational, robust"}, {"SQLite", "Embedded, one file"},
			}}},
		},
		"PermissionRequest:ExitPlanMode": {
			Kind: AskPlan, Tool: "ExitPlanMode", Title: "May this plan be carried out?", Detail: "# Plan\n\n1. Add health\n2. Test it\n", AllowsText: true,
			Options: []Option{{ID: "allow", Label: "Yes, manually approve edits"}, acceptEdits, {ID: "deny", Label: "Tell Claude what to change"}},
		},
	}
	samples := hookSamples(t)
	for name, want := range tests {
		got, err := Claude().ReadAsk(samples[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestClaudeSuggestions(t *testing.T) {
	text := `[
		{"type":"addRules","rules":[{"toolName":"Bash","ruleContent":"npm test"},{"toolName":"Read"}],"behavior":"allow","destination":"localSettings"},
		{"type":"addRules","rules":[{"toolName":"Bash"}],"behavior":"deny","destination":"session"},
		{"type":"addRules","rules":[{"toolName":"Bash"}],"behavior":"allow","destination":"somewhere new"},
		{"type":"setMode","mode":"bypassPermissions","destination":"session"},
		{"type":"setMode","mode":"auto","destination":"session"},
		{"type":"something new"}, 7]`
	all := readSuggestions(json.RawMessage(text))
	want := "allows Bash(npm test), Read without asking, in this project on this machine (.claude/settings.local.json)"
	if got := all.rules().effect(); got != want {
		t.Errorf("effect = %s, want %s", got, want)
	}
	if got := all.acceptEdits(); got != nil {
		t.Errorf("a change of mode was passed on: %v", got)
	}
}

func TestClaudeAllowAlwaysLabel(t *testing.T) {
	const (
		rule      = `{"type":"addRules","rules":[{"toolName":"Bash","ruleContent":"npm test"}],"behavior":"allow","destination":"session"}`
		directory = `{"type":"addDirectories","directories":["/home/dev/my project/"],"destination":"session"}`
	)
	tests := map[string]struct{ suggestions, want string }{
		"rule":               {rule, "Yes, and do not ask again"},
		"rule and directory": {directory + "," + rule, "Yes, and do not ask again"},
		"directory":          {directory, "Yes, and allow access to my project"},
		"directories": {
			directory + `,{"type":"addDirectories","directories":["/a","/b"],"destination":"session"}`,
			"Yes, and allow access to my project and 2 more",
		},
		"root": {`{"type":"addDirectories","directories":["/"],"destination":"session"}`, "Yes, and allow access to /"},
		"long name": {
			`{"type":"addDirectories","directories":["/` + strings.Repeat("d", 200) + `"],"destination":"session"}`,
			"Yes, and allow access to " + strings.Repeat("d", 100) + " …",
		},
	}
	for name, test := range tests {
		payload := `{"hook_event_name":"PermissionRequest","tool_name":"Bash","tool_input":{"command":"touch a.txt"},` +
			`"permission_suggestions":[` + test.suggestions + `]}`
		ask, err := Claude().ReadAsk([]byte(payload))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := ask.Options[1]; got.ID != OptionAllowAlways || got.Label != test.want {
			t.Errorf("%s: %s is offered as %q, want %q", name, got.ID, got.Label, test.want)
		}
	}
}

func TestClaudeReplies(t *testing.T) {
	samples := hookSamples(t)
	tests := map[string]struct {
		payload string
		answer  Answer
		want    string // the decision; empty: refused
	}{
		"allow":                     {"Bash", Answer{Option: "allow"}, `{"behavior":"allow"}`},
		"allow always":              {"Bash", Answer{Option: "allow_always"}, `{"behavior":"allow","updatedPermissions":[{"destination":"session","directories":["/home/dev/proj4"],"type":"addDirectories"}]}`},
		"accept edits":              {"Write", Answer{Option: "accept_edits"}, `{"behavior":"allow","updatedPermissions":[{"destination":"session","mode":"acceptEdits","type":"setMode"}]}`},
		"deny":                      {"Bash", Answer{Actor: "Alice", Option: "deny"}, `{"behavior":"deny","message":"Denied by Alice"}`},
		"deny with words":           {"Bash", Answer{Actor: "Alice", Option: "deny", Text: "use a <branch>"}, `{"behavior":"deny","message":"Denied by Alice: use a <branch>"}`},
		"words alone deny":          {"Bash", Answer{Actor: "Alice", Text: "no"}, `{"behavior":"deny","message":"Denied by Alice: no"}`},
		"choice":                    {"AskUserQuestion", Answer{Choices: [][]string{{"SQLite"}}}, `{"behavior":"allow","updatedInput":{"answers":{"Which database should we use?":"SQLite"},"questions":QUESTIONS}}`},
		"choice in words":           {"AskUserQuestion", Answer{Text: "DuckDB"}, `{"behavior":"allow","updatedInput":{"answers":{"Which database should we use?":"DuckDB"},"questions":QUESTIONS}}`},
		"choice declined":           {"AskUserQuestion", Answer{Actor: "Bob", Option: "deny"}, `{"behavior":"deny","message":"Denied by Bob"}`},
		"plan":                      {"ExitPlanMode", Answer{Option: "allow"}, `{"behavior":"allow","updatedInput":PLAN}`},
		"plan, accept edits":        {"ExitPlanMode", Answer{Option: "accept_edits"}, `{"behavior":"allow","updatedInput":PLAN,"updatedPermissions":[{"type":"setMode","mode":"acceptEdits","destination":"session"}]}`},
		"plan changed":              {"ExitPlanMode", Answer{Actor: "Bob", Text: "smaller"}, `{"behavior":"deny","message":"Denied by Bob: smaller"}`},
		"nothing":                   {"Bash", Answer{}, ""},
		"unknown option":            {"Bash", Answer{Option: "bypassPermissions"}, ""},
		"option not offered":        {"Write", Answer{Option: "allow_always"}, ""},
		"words with allow":          {"Bash", Answer{Option: "allow", Text: "but carefully"}, ""},
		"choices for a permission":  {"Bash", Answer{Choices: [][]string{{"Yes"}}}, ""},
		"too few choices":           {"AskUserQuestion", Answer{}, ""},
		"too many choices":          {"AskUserQuestion", Answer{Choices: [][]string{{"SQLite"}, {"x"}}}, ""},
		"empty choice":              {"AskUserQuestion", Answer{Choices: [][]string{{" "}}}, ""},
		"several for a single":      {"AskUserQuestion", Answer{Choices: [][]string{{"SQLite", "PostgreSQL"}}}, ""},
		"allow instead of a choice": {"AskUserQuestion", Answer{Option: "allow"}, ""},
	}
	for name, test := range tests {
		payload := samples["PermissionRequest:"+test.payload]
		raw, err := parseClaudeHook(payload)
		if err != nil {
			t.Fatal(err)
		}
		var input map[string]json.RawMessage
		if err := json.Unmarshal(raw.ToolInput, &input); err != nil {
			t.Fatal(err)
		}
		got, err := Claude().Reply(payload, test.answer)
		if test.want == "" {
			if err == nil {
				t.Errorf("%s: reply %s, want an error", name, got)
			}
			continue
		}
		want := strings.NewReplacer("QUESTIONS", string(input["questions"]), "PLAN", string(raw.ToolInput)).Replace(test.want)
		want = `{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":` + want + `}}`
		if diff := cmp.Diff(decodeJSON(t, []byte(want)), decodeJSON(t, got)); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func decodeJSON(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func TestClaudeMessages(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":                {"hello", "hello"},
		"tabs and ends":        {"a\tb\r\nc\rd  \n\n", "a    b\nc\nd"},
		"decomposed":           {"cafe\u0301", "café"},
		"zero width":           {"a\u200bb\ufeff\u2060c\u00add", "abcd"},
		"marks of direction":   {"a\u200eb\u061c", "ab"},
		"emoji sequence":       {"👨‍👩‍👧 ❤️", "👨‍👩‍👧 ❤️"},
		"separators":           {"a\u2028b\u2029c", "a\nb\nc"},
		"shell command":        {"!rm -rf /", " !rm -rf /"},
		"hidden shell":         {"\n\u200b \u00a0!ls", " !ls"},
		"command":              {"/clear", ""},
		"hidden command":       {" \n\u200b/clear", ""},
		"path in a sentence":   {"look at /etc", "look at /etc"},
		"exit":                 {" Exit ", ""},
		"exit in a sentence":   {"exit code?", "exit code?"},
		"empty":                {" \n\t ", ""},
		"escape":               {"a\x1b[201~\rb", ""},
		"bell":                 {"a\a", ""},
		"zero byte":            {"a\x00b", ""},
		"C1":                   {"a\u009bb", ""},
		"bidi override":        {"a\u202eb", ""},
		"bidi isolate":         {"a\u2067b", ""},
		"not UTF-8":            {"a\xffb", ""},
		"too long":             {strings.Repeat("a", maxClaudeMessage+1), ""},
		"looks like an option": {"--help", "--help"},
		"key name":             {"C-c Enter", "C-c Enter"},
	}
	for name, test := range tests {
		got, err := Claude().CleanMessage(test.text)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

func TestClaudeTranscriptLines(t *testing.T) {
	at := time.Date(2026, 11, 21, 1, 23, 9, 0, time.UTC)
	const head = `"timestamp":"2026-11-21T01:23:09Z","isSidechain":false,`
	tests := map[string]struct {
		line string
		want []Line
	}{
		"person":               {`{` + head + `"type":"user","message":{"role":"user","content":"hello"}}`, []Line{{Kind: LineUser, At: at, Text: "hello"}}},
		"person while busy":    {`{` + head + `"type":"attachment","attachment":{"type":"queued_command","prompt":"steer","commandMode":"prompt","origin":{"kind":"human"}}}`, []Line{{Kind: LineUser, At: at, Text: "steer"}}},
		"other attachment":     {`{` + head + `"type":"attachment","attachment":{"type":"date","date":"2026-11-21"}}`, nil},
		"reminder":             {`{` + head + `"type":"user","message":{"role":"user","content":"<system-reminder>x"}}`, nil},
		"command":              {`{` + head + `"type":"user","message":{"role":"user","content":"<command-name>/model</command-name>"}}`, nil},
		"meta":                 {`{` + head + `"type":"user","isMeta":true,"message":{"role":"user","content":"x"}}`, nil},
		"subagent":             {`{"type":"assistant","isSidechain":true,"message":{"content":[{"type":"text","text":"x"}]}}`, nil},
		"answer":               {`{` + head + `"type":"assistant","message":{"content":[{"type":"thinking","thinking":"…"},{"type":"text","text":"done"}]}}`, []Line{{Kind: LineAssistant, At: at, Text: "done"}}},
		"error of the API":     {`{` + head + `"type":"assistant","isApiErrorMessage":true,"message":{"content":[{"type":"text","text":"API Error"}]}}`, []Line{{Kind: LineNotice, At: at, Text: "API Error", IsError: true}}},
		"call":                 {`{` + head + `"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]}}`, []Line{{Kind: LineToolCall, At: at, Tool: "Bash", ToolUse: "t1", Input: json.RawMessage(`{"command":"ls"}`)}}},
		"result by hook":       {`{` + head + `"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":"ok"}]},"permissionDecision":{"decision":"accept","source":"hook"}}`, []Line{{Kind: LineToolResult, At: at, ToolUse: "t1", Text: "ok", Decided: DecidedHook}}},
		"result at terminal":   {`{` + head + `"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":[{"type":"text","text":"a"},{"type":"image"}]}]},"permissionDecision":{"decision":"accept","source":"user_temporary"}}`, []Line{{Kind: LineToolResult, At: at, ToolUse: "t1", Text: "a\n[image]", Decided: DecidedTerminal}}},
		"rejected at terminal": {`{` + head + `"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":"no","is_error":true}]},"toolDenialKind":"user-rejected"}`, []Line{{Kind: LineToolResult, At: at, ToolUse: "t1", Text: "no", IsError: true, Decided: DecidedTerminal, Denied: true}}},
		"denied by hook":       {`{` + head + `"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":"no","is_error":true}]},"toolDenialKind":"permission-rule","permissionDecision":{"decision":"reject","source":"hook"}}`, []Line{{Kind: LineToolResult, At: at, ToolUse: "t1", Text: "no", IsError: true, Decided: DecidedHook, Denied: true}}},
		"by a rule":            {`{` + head + `"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":""}]},"permissionDecision":{"decision":"accept","source":"config"}}`, []Line{{Kind: LineToolResult, At: at, ToolUse: "t1", Decided: DecidedRule}}},
		"interrupted":          {`{` + head + `"type":"user","message":{"content":[{"type":"text","text":"[Request interrupted by user for tool use]"}]}}`, []Line{{Kind: LineInterrupted, At: at, Text: "Interrupted."}}},
		"compacted":            {`{` + head + `"type":"system","subtype":"compact_boundary","content":"Conversation compacted"}`, []Line{{Kind: LineNotice, At: at, Text: "The conversation so far was replaced by a summary of it."}}},
		"snapshot":             {`{"type":"file-history-snapshot","snapshot":{"timestamp":7}}`, nil},
	}
	for name, test := range tests {
		got, err := Claude().ReadTranscript([]byte(test.line))
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestClaudeStatus(t *testing.T) {
	home := t.TempDir()
	started := time.UnixMilli(1795224187000)
	write := func(text string) {
		dir := filepath.Join(home, ".claude", "sessions")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "42.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	process := Process{PID: 42, StartedAt: started, Getenv: func(name string) string { return map[string]string{"HOME": home}[name] }}
	tests := map[string]struct {
		text string
		want Status
		ok   bool
	}{
		"idle":                  {`{"pid":42,"version":"2.1.329","status":"idle","startedAt":1795224187100,"statusUpdatedAt":1795224187903}`, Status{Activity: ActivityIdle, At: time.UnixMilli(1795224187903), Version: "2.1.329"}, true},
		"dialog":                {`{"pid":42,"status":"waiting","waitingFor":"dialog open","startedAt":1795224187100,"statusUpdatedAt":1795224187903}`, Status{Activity: ActivityWaiting, Dialog: "dialog open", At: time.UnixMilli(1795224187903)}, true},
		"just started":          {`{"pid":42,"startedAt":1795224187100}`, Status{}, false},
		"of an earlier process": {`{"pid":42,"status":"idle","startedAt":1795224100000}`, Status{}, false},
		"half written":          {`{"pid":42,"status":"id`, Status{}, false},
		"new word":              {`{"pid":42,"status":"dreaming","startedAt":1795224187100}`, Status{}, false},
	}
	for name, test := range tests {
		write(test.text)
		got, ok := Claude().ReadStatus(process)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: %v (-want +got):\n%s", name, ok, diff)
		}
	}
	process.PID = 43
	if _, ok := Claude().ReadStatus(process); ok {
		t.Error("a process without a file has a status")
	}
}

func TestClaudeScreens(t *testing.T) {
	tests := map[string]struct {
		dialog, selected string
		box              Box
	}{
		"02-trust-dialog":   {"trust", OptionDeny, BoxUnseen},
		"03-after-trust":    {"API key", "", BoxUnseen},
		"E0-automode-offer": {"permission mode", "", BoxUnseen},
		"05-idle-seeded":    {"", "", BoxEmpty},
		"08-perm-bash":      {"", "", BoxUnseen},
		"49-bang":           {"", "", BoxDraft},
		"53-hash":           {"", "", BoxDraft},
		"B1-queued":         {"", "", BoxEmpty},
	}
	for name, want := range tests {
		text, err := os.ReadFile(filepath.Join("testdata", "claude", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		screen := strings.Split(string(text), "\n")
		dialog, ok := Claude().ReadScreen(screen)
		if dialog.Name != want.dialog || ok != (want.dialog != "") || dialog.Selected != want.selected {
			t.Errorf("%s: dialog %q, selected %q", name, dialog.Name, dialog.Selected)
		}
		if got := Claude().ReadBox(screen); got != want.box {
			t.Errorf("%s: box %v, want %v", name, got, want.box)
		}
		// A screen that is drawn only in part may hide the box, but never a draft in it.
		for cut := range screen {
			if got := Claude().ReadBox(screen[:cut]); got == BoxEmpty && want.box == BoxDraft {
				t.Errorf("%s: the first %d lines show an empty box", name, cut)
			}
		}
	}
}

func FuzzClaudeHook(f *testing.F) {
	for _, payload := range hookSamples(f) {
		f.Add([]byte(payload), "allow", "")
	}
	f.Add([]byte(`{"hook_event_name":"PermissionRequest","tool_input":[],"permission_suggestions":{}}`), "allow_always", "x")
	f.Fuzz(func(t *testing.T, payload []byte, option, text string) {
		claude := Claude()
		if _, err := claude.ReadHook(payload); err != nil {
			return
		}
		if _, err := claude.ReadAsk(payload); err != nil {
			t.Fatalf("a hook, but no question: %v", err)
		}
		reply, err := claude.Reply(payload, Answer{Actor: "a", Option: option, Text: text})
		if err == nil && !json.Valid(reply) {
			t.Errorf("reply %q", reply)
		}
	})
}

func FuzzClaudeTranscript(f *testing.F) {
	f.Add([]byte(`{"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":[{"type":"text","text":"a"}]}]}}`))
	f.Add([]byte(`{"type":"assistant","message":{"content":"x"}}`))
	f.Add([]byte(`{"type":"attachment","attachment":{"type":"queued_command","commandMode":"prompt","origin":{"kind":"human"},"prompt":7}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		lines, err := Claude().ReadTranscript(line)
		for _, l := range lines {
			if err != nil || l.Kind == "" {
				t.Errorf("line %+v, error %v", l, err)
			}
		}
	})
}

func FuzzClaudeMessage(f *testing.F) {
	f.Add("hello\nworld")
	f.Add("!ls \u200d/x")
	f.Add(strings.Repeat("e\u0301👨‍👩‍👧", 300))
	f.Fuzz(func(t *testing.T, text string) {
		claude := Claude()
		clean, err := claude.CleanMessage(text)
		if err != nil {
			return
		}
		if again, err := claude.CleanMessage(clean); err != nil || again != clean {
			t.Errorf("cleaning %q again gives %q, %v", clean, again, err)
		}
		keys := string(claude.TypeMessage(clean))
		var typed strings.Builder
		for keys != "" {
			paste, isPaste := strings.CutPrefix(keys, pasteBegin)
			paste, rest, ends := strings.Cut(paste, pasteEnd)
			if !isPaste || !ends || strings.ContainsAny(paste, "\x1b\r") || strings.Count(paste, "\n") > 1 || len(utf16.Encode([]rune(paste))) > 800 {
				t.Fatalf("paste %q of message %q", paste, clean)
			}
			typed.WriteString(paste)
			keys = rest
		}
		if got := typed.String(); got != clean && got != clean+" " {
			t.Errorf("typed %q, want %q", got, clean)
		}
	})
}

func FuzzClaudeStatus(f *testing.F) {
	f.Add([]byte(`{"pid":42,"status":"idle","startedAt":1795224187100,"statusUpdatedAt":1795224187903}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if status, ok := parseClaudeStatus(text, time.Time{}); ok && status.Activity == "" {
			t.Errorf("status of %q has no activity", text)
		}
	})
}
