package agentkind

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
)

func TestClaudeHooks(t *testing.T) {
	seen := map[string]bool{}
	for name, s := range scenes(t) {
		for _, payload := range s.Hooks {
			hook, err := Claude().ReadHook(payload)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			seen[hook.Event] = true
			want, known := claudeHookKinds[hook.Event]
			if !known {
				want = HookOther
			}
			if hook.Server != "" && hook.Event == "Notification" {
				want = HookFormOver
			}
			if hook.Kind != want || hook.Session == "" || hook.Transcript == "" || hook.WorkingDir == "" {
				t.Errorf("%s: hook = %+v", name, hook)
			}
			if bytes.Contains(payload, []byte(`"tool_name"`)) && (hook.Tool == "" || !json.Valid(hook.Input)) {
				t.Errorf("%s: %s of tool %q", name, hook.Event, hook.Tool)
			}
		}
	}
	for _, event := range claudeHookEvents {
		if !seen[event] {
			t.Errorf("no hook %s was recorded", event)
		}
	}
	for _, event := range []string{"PermissionRequest", "SubagentStart", "SubagentStop"} {
		hook, err := Claude().ReadHook(recordedHook(t, "subagent", event))
		if err != nil || hook.Agent == "" || hook.Subagent != "general-purpose" {
			t.Errorf("a subagent's %s is of agent %q, %q: %v", event, hook.Agent, hook.Subagent, err)
		}
	}
}

// TestClaudeFailures: a turn that failed says why, and of what kind that was.
func TestClaudeFailures(t *testing.T) {
	for name, want := range map[string]string{
		"api-error-400": "unknown: API Error: 400 scripted error",
		"api-error-401": "authentication_failed: Please run /login · API Error: 401 scripted error",
		"api-error-429": "rate_limit: API Error: Request rejected (429) · scripted error",
		"api-error-500": "server_error: API Error: 500 scripted error. This is a server-side issue",
		"api-error-529": "server_error: API Error: 529 scripted error. This is a server-side issue",
	} {
		hook, err := Claude().ReadHook(recordedHook(t, name, "StopFailure"))
		if got := hook.Failure + ": " + hook.Text; err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
}

// TestClaudeEndings: only an end at the terminal is one that a person made.
func TestClaudeEndings(t *testing.T) {
	for name, want := range map[string]string{"exit": "ended at the terminal", "clear": "", "bash": ""} {
		hook, err := Claude().ReadHook(recordedHook(t, name, "SessionEnd"))
		if err != nil || hook.Text != want {
			t.Errorf("%s: %q, %v, want %q", name, hook.Text, err, want)
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
	const (
		session = "for the rest of this session"
		local   = "in this project on this machine (.claude/settings.local.json)"
	)
	acceptEdits := Option{ID: "accept_edits", Label: "Yes, and accept edits", Effect: acceptEditsEffect, Mode: "acceptEdits"}
	yes, no := Option{ID: "allow", Label: "Yes"}, Option{ID: "deny", Label: "No"}
	always := func(effect string) Option {
		return Option{ID: "allow_always", Label: "Yes, and do not ask again", Effect: "allows " + effect}
	}
	tests := map[string]Ask{
		"bash": {
			Kind: AskPermission, Tool: "Bash", Title: "Run touch made", Detail: "touch made\n\n(the agent says: Run touch)",
			Options: []Option{yes, {ID: "allow_always", Label: "Yes, and allow access to project", Effect: "allows access to /home/dev/home/project without asking, " + session}, acceptEdits, no},
		},
		"subagent": {
			Kind: AskPermission, Tool: "Bash", Title: "Run touch made", Detail: "touch made\n\n(the agent says: Run touch)", Subagent: "general-purpose",
			Options: []Option{yes, {ID: "allow_always", Label: "Yes, and allow access to project", Effect: "allows access to /home/dev/home/project without asking, " + session}, acceptEdits, no},
		},
		"write": {
			Kind: AskPermission, Tool: "Write", Title: "Write notes.txt", Detail: "/home/dev/home/project/notes.txt\n\nhello\n",
			Options: []Option{yes, acceptEdits, no},
		},
		"edit": {
			Kind: AskPermission, Tool: "Edit", Title: "Edit README.md", Detail: "/home/dev/home/project/README.md\n\n- web-app\n+ net-app",
			Options: []Option{yes, acceptEdits, no},
		},
		"notebook": {
			Kind: AskPermission, Tool: "NotebookEdit", Title: "Edit plot.ipynb",
			Detail:  "/home/dev/home/project/plot.ipynb\n\nReplace cell first:\nx = 2",
			Options: []Option{yes, acceptEdits, no},
		},
		"read-outside": {
			Kind: AskPermission, Tool: "Read", Title: "Read outside.txt", Detail: "/home/dev/outside.txt",
			Options: []Option{yes, always("Read(//home/dev/**) without asking, " + session), no},
		},
		"web-fetch": {
			Kind: AskPermission, Tool: "WebFetch", Title: "Fetch https://example.com/",
			Detail:  "https://example.com/\n\nand ask of it: What is it?",
			Options: []Option{yes, always("WebFetch(domain:example.com) without asking, " + local), no},
		},
		"web-search": {
			Kind: AskPermission, Tool: "WebSearch", Title: "Search the web for switchboards", Detail: "switchboards",
			Options: []Option{yes, always("WebSearch without asking, " + local), no},
		},
		"mcp-tool": {
			Kind: AskPermission, Tool: "mcp__asker__ask", Title: "Use ask of MCP server asker", Detail: "{}",
			Options: []Option{yes, always("mcp__asker__ask without asking, " + local), no},
		},
		"denied-by-verdict": { // a rule of the host's owner had it asked about
			Kind: AskPermission, Tool: "Bash", Title: "Run ls", Detail: "ls\n\n(the agent says: Run ls)", Options: []Option{yes, no},
		},
		"question": {
			Kind: AskChoice, Tool: "AskUserQuestion", Title: "Which database should we use?",
			Options:   []Option{{ID: "deny", Label: "Decline to answer"}},
			Questions: []Question{whichDatabase},
		},
		"questions": {
			Kind: AskChoice, Tool: "AskUserQuestion", Title: "Which database should we use? (and 1 more)",
			Options:   []Option{{ID: "deny", Label: "Decline to answer"}},
			Questions: []Question{whichDatabase, whichFeatures},
		},
		"plan": {
			Kind: AskPlan, Tool: "ExitPlanMode", Title: "May this plan be carried out?", Detail: "# Plan\n\nAdd a health endpoint\n",
			Options: []Option{{ID: "allow", Label: "Yes, manually approve edits"}, acceptEdits, {ID: "deny", Label: "Tell Claude what to change"}},
		},
	}
	for name, want := range tests {
		want.AllowsText = true
		got, err := Claude().ReadAsk(recordedHook(t, name, "PermissionRequest"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What the scripted model asks.
var (
	whichDatabase = Question{Header: "Database", Text: "Which database should we use?", Options: []QuestionOption{
		{"PostgreSQL", "A server; good for many writers"}, {"SQLite", "A file; nothing to run"},
	}}
	whichFeatures = Question{Header: "Features", Text: "Which features do you want?", MultiSelect: true, Options: []QuestionOption{
		{"Login", "Accounts and passwords"}, {"Search", "Full-text search"}, {"Export", "CSV files"},
	}}
)

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
		payload := with(t, recordedHook(t, "bash", "PermissionRequest"), "permission_suggestions", json.RawMessage("["+test.suggestions+"]"))
		ask, err := Claude().ReadAsk(payload)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := ask.Options[1]; got.ID != OptionAllowAlways || got.Label != test.want {
			t.Errorf("%s: %s is offered as %q, want %q", name, got.ID, got.Label, test.want)
		}
	}
}

func TestClaudeReplies(t *testing.T) {
	tests := map[string]struct {
		scene  string
		answer Answer
		want   string // the decision; empty: refused
	}{
		"allow":                     {"bash", Answer{Option: "allow"}, `{"behavior":"allow"}`},
		"allow always":              {"bash", Answer{Option: "allow_always"}, `{"behavior":"allow","updatedPermissions":[{"destination":"session","directories":["/home/dev/home/project"],"type":"addDirectories"}]}`},
		"accept edits":              {"write", Answer{Option: "accept_edits"}, `{"behavior":"allow","updatedPermissions":[{"destination":"session","mode":"acceptEdits","type":"setMode"}]}`},
		"deny":                      {"bash", Answer{Actor: "Alice", Option: "deny"}, `{"behavior":"deny","message":"Denied by Alice"}`},
		"deny with words":           {"bash", Answer{Actor: "Alice", Option: "deny", Text: "use a <branch>"}, `{"behavior":"deny","message":"Denied by Alice: use a <branch>"}`},
		"words alone deny":          {"bash", Answer{Actor: "Alice", Text: "no"}, `{"behavior":"deny","message":"Denied by Alice: no"}`},
		"choice":                    {"question", Answer{Choices: [][]string{{"SQLite"}}}, `{"behavior":"allow","updatedInput":{"answers":{"Which database should we use?":"SQLite"},"questions":QUESTIONS}}`},
		"choice in words":           {"question", Answer{Text: "DuckDB"}, `{"behavior":"allow","updatedInput":{"answers":{"Which database should we use?":"DuckDB"},"questions":QUESTIONS}}`},
		"choice declined":           {"question", Answer{Actor: "Bob", Option: "deny"}, `{"behavior":"deny","message":"Denied by Bob"}`},
		"plan":                      {"plan", Answer{Option: "allow"}, `{"behavior":"allow","updatedInput":PLAN}`},
		"plan, accept edits":        {"plan", Answer{Option: "accept_edits"}, `{"behavior":"allow","updatedInput":PLAN,"updatedPermissions":[{"type":"setMode","mode":"acceptEdits","destination":"session"}]}`},
		"plan changed":              {"plan", Answer{Actor: "Bob", Text: "smaller"}, `{"behavior":"deny","message":"Denied by Bob: smaller"}`},
		"nothing":                   {"bash", Answer{}, ""},
		"unknown option":            {"bash", Answer{Option: "bypassPermissions"}, ""},
		"option not offered":        {"write", Answer{Option: "allow_always"}, ""},
		"words with allow":          {"bash", Answer{Option: "allow", Text: "but carefully"}, ""},
		"choices for a permission":  {"bash", Answer{Choices: [][]string{{"Yes"}}}, ""},
		"too few choices":           {"question", Answer{}, ""},
		"too many choices":          {"question", Answer{Choices: [][]string{{"SQLite"}, {"x"}}}, ""},
		"empty choice":              {"question", Answer{Choices: [][]string{{" "}}}, ""},
		"several for a single":      {"question", Answer{Choices: [][]string{{"SQLite", "PostgreSQL"}}}, ""},
		"allow instead of a choice": {"question", Answer{Option: "allow"}, ""},
	}
	for name, test := range tests {
		payload := recordedHook(t, test.scene, "PermissionRequest")
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

// TestClaudeTranscripts: of each conversation it is told what the person and the agent said and did, and who decided.
func TestClaudeTranscripts(t *testing.T) {
	touch := json.RawMessage(`{"command":"touch made","description":"Run touch"}`)
	const rejected = "The user doesn't want to proceed with this tool use."
	tests := map[string][]Line{
		"bash": {
			{Kind: LineUser, Text: "fake:text I begin ;; bash touch made ;; text done"},
			{Kind: LineAssistant, Text: "I begin"},
			{Kind: LineToolCall, Tool: "Bash", ToolUse: "toolu_0001", Input: touch},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "(Bash completed with no output)", Decided: DecidedHook},
			{Kind: LineAssistant, Text: "done"},
		},
		"allowed-at-terminal": {
			{Kind: LineUser, Text: "fake:bash touch made"},
			{Kind: LineToolCall, Tool: "Bash", ToolUse: "toolu_0001", Input: touch},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "(Bash completed with no output)", Decided: DecidedTerminal},
			{Kind: LineAssistant, Text: "done"},
		},
		"rejected-at-terminal": {
			{Kind: LineUser, Text: "fake:bash touch made"},
			{Kind: LineToolCall, Tool: "Bash", ToolUse: "toolu_0001", Input: touch},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: rejected, IsError: true, Decided: DecidedTerminal, Denied: true},
			{Kind: LineInterrupted, Text: "Interrupted."},
		},
		"allowed-by-rule": {
			{Kind: LineUser, Text: "fake:bash touch made"},
			{Kind: LineToolCall, Tool: "Bash", ToolUse: "toolu_0001", Input: touch},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "(Bash completed with no output)", Decided: DecidedRule},
			{Kind: LineAssistant, Text: "done"},
		},
		"write": {
			{Kind: LineUser, Text: "fake:write notes.txt hello"},
			{Kind: LineToolCall, Tool: "Write", ToolUse: "toolu_0001", Input: json.RawMessage(`{"file_path":"notes.txt","content":"hello\n"}`)},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "Denied by Alice: use a branch", IsError: true, Decided: DecidedHook, Denied: true},
			{Kind: LineAssistant, Text: "done"},
		},
		"failed-command": {
			{Kind: LineUser, Text: "fake:bash sh -c 'echo > made; exit 3'"},
			{Kind: LineToolCall, Tool: "Bash", ToolUse: "toolu_0001", Input: json.RawMessage(`{"command":"sh -c 'echo > made; exit 3'","description":"Run sh"}`)},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "Exit code 3", IsError: true, Decided: DecidedHook},
			{Kind: LineAssistant, Text: "done"},
		},
		"image": {
			{Kind: LineUser, Text: "fake:read /home/dev/home/project/dot.png"},
			{Kind: LineToolCall, Tool: "Read", ToolUse: "toolu_0001", Input: json.RawMessage(`{"file_path":"/home/dev/home/project/dot.png"}`)},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "[image]", Decided: DecidedRule},
			{Kind: LineAssistant, Text: "done"},
		},
		"queued": {
			{Kind: LineUser, Text: "fake:bash touch made; sleep 4 ;; text done"},
			{Kind: LineToolCall, Tool: "Bash", ToolUse: "toolu_0001", Input: json.RawMessage(`{"command":"touch made; sleep 4","description":"Run touch"}`)},
			{Kind: LineToolResult, ToolUse: "toolu_0001", Text: "(Bash completed with no output)", Decided: DecidedHook},
			{Kind: LineUser, Text: "fake:text taken"},
			{Kind: LineAssistant, Text: "taken"},
		},
		"interrupted-text": {
			{Kind: LineUser, Text: "fake:slow 30"},
			{Kind: LineAssistant, Text: "line 1 of a slow answer\n"},
			{Kind: LineInterrupted, Text: "Interrupted."},
		},
		"api-error-400": {
			{Kind: LineUser, Text: "fake:error 400"},
			{Kind: LineNotice, Text: "API Error: 400 scripted error", IsError: true},
		},
		"compact": {
			{Kind: LineUser, Text: "fake:text something to remember"},
			{Kind: LineAssistant, Text: "something to remember"},
			{Kind: LineNotice, Text: "The conversation so far was replaced by a summary of it."},
		},
	}
	for name, want := range tests {
		var got []Line
		for _, line := range scene(t, name).Transcript {
			lines, err := Claude().ReadTranscript(line)
			if err != nil {
				t.Errorf("%s: %v: %s", name, err, line)
			}
			for _, l := range lines {
				if l.At.IsZero() && l.Cost == nil {
					t.Errorf("%s: no time in %s", name, line)
				}
				l.At = time.Time{}
				if l.Reply, l.Use = "", nil; l.Kind == LineUse {
					continue // see TestClaudeUse
				}
				if strings.HasPrefix(l.Text, rejected) {
					l.Text = rejected // the rest is for the agent
				}
				l.Text, _, _ = strings.Cut(l.Text, "\n\nThis is how Claude Code surfaces") // the scripted model says it again
				got = append(got, l)
			}
		}
		if diff := cmp.Diff(want, got, sameJSON); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// sameJSON compares inputs of tools by what they say.
var sameJSON = cmp.Comparer(func(a, b json.RawMessage) bool {
	var of, with any
	_, _ = json.Unmarshal(a, &of), json.Unmarshal(b, &with)
	return cmp.Equal(of, with)
})

// TestClaudeTranscriptsWithoutPerson: what nobody said is not told: the CLI's own lines.
func TestClaudeTranscriptsWithoutPerson(t *testing.T) {
	said := scene(t, "bash").Transcript[0]
	silent := map[string]json.RawMessage{
		"meta":     with(t, said, "isMeta", true),
		"reminder": with(t, said, "message", map[string]string{"role": "user", "content": "<system-reminder>x"}),
	}
	for name, s := range scenes(t) {
		for _, line := range s.Transcript {
			var raw claudeLine
			if err := json.Unmarshal(line, &raw); err != nil {
				t.Fatal(err)
			}
			var text string
			_ = json.Unmarshal(raw.Message.Content, &text) // or it is blocks
			if raw.Type == "cost-state" {
				continue // see TestClaudeUse
			}
			spoken := len(raw.Message.Content) > 0 || raw.Attachment.Type == "queued_command" || raw.Subtype == "compact_boundary"
			if !spoken || strings.HasPrefix(text, "<") {
				silent[name+string(line)] = line
			}
		}
	}
	if lines, err := Claude().ReadTranscript(said); len(lines) != 1 || err != nil {
		t.Errorf("the person is told as %+v, %v", lines, err)
	}
	for name, line := range silent {
		if lines, err := Claude().ReadTranscript(line); len(lines) > 0 || err != nil {
			t.Errorf("%s: told as %+v, %v", name, lines, err)
		}
	}
	if len(silent) < 10 {
		t.Errorf("only %d such lines were recorded", len(silent))
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
	status := func(name string, n int) string { return string(scene(t, name).Statuses[n]) }
	changed := func(field string, value any) string {
		return string(with(t, scene(t, "bash").Statuses[0], field, value))
	}
	at := time.UnixMilli(1795224187903)
	const conversation = "00000001-0000-4000-8000-000000000000"
	tests := map[string]struct {
		text string
		want Status
		ok   bool
	}{
		"idle":                  {status("bash", 0), Status{Activity: ActivityIdle, At: at, Version: claudecli.Version, Session: conversation}, true},
		"permission":            {status("bash", 1), Status{Activity: ActivityWaiting, Dialog: "permission prompt", Asks: true, At: at, Version: claudecli.Version, Session: conversation}, true},
		"question":              {status("question", 0), Status{Activity: ActivityWaiting, Dialog: "input needed", Asks: true, At: at, Version: claudecli.Version, Session: conversation}, true},
		"busy":                  {status("interrupted-text", 0), Status{Activity: ActivityBusy, At: at, Version: claudecli.Version, Session: conversation}, true},
		"after Esc":             {status("rejected-at-terminal", 0), Status{Activity: ActivityIdle, At: at, Version: claudecli.Version, Session: conversation}, true},
		"dialog":                {status("model-picker", 0), Status{Activity: ActivityWaiting, Dialog: "dialog open", At: at, Version: claudecli.Version, Session: conversation}, true},
		"just started":          {changed("status", ""), Status{}, false},
		"of an earlier process": {changed("startedAt", 1795224100000), Status{}, false},
		"half written":          {status("bash", 0)[:300], Status{}, false},
		"new word":              {changed("status", "dreaming"), Status{}, false},
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
	type seen struct {
		dialog, selected string
		box              Box
	}
	tests := map[string]seen{
		"trust/refused":                     {"trust", OptionDeny, BoxUnseen},
		"trust/trusted":                     {"trust", OptionAllow, BoxUnseen},
		"trust-in-a-small-terminal/refused": {"trust", OptionDeny, BoxUnseen},
		"api-key/asked":                     {"API key", "", BoxUnseen},
		"mode-offer/asked":                  {"permission mode", "", BoxUnseen},
		"slash-login/open":                  {"login", "", BoxUnseen},
		"no-network/ended":                  {"", "", BoxUnseen},
		"model-picker/open":                 {"", "", BoxUnseen},
		"bash/idle":                         {"", "", BoxEmpty},
		"bash/asked":                        {"", "", BoxUnseen},
		"bash/done":                         {"", "", BoxEmpty},
		"small-terminal/idle":               {"", "", BoxEmpty},
		"small-terminal/asked":              {"", "", BoxUnseen},
		"mcp-tool/asked":                    {"", "", BoxUnseen},
		"mcp-tool/elicitation":              {"", "", BoxUnseen},
		"question/asked":                    {"", "", BoxUnseen},
		"questions/submit":                  {"", "", BoxUnseen},
		"plan/asked":                        {"", "", BoxUnseen},
		"draft/draft":                       {"", "", BoxDraft},
		"draft/put aside":                   {"", "", BoxEmpty},
		"draft-of-several-lines/draft":      {"", "", BoxDraft},
		"draft-of-a-shell-command/draft":    {"", "", BoxDraft},
		"draft-of-a-heading/draft":          {"", "", BoxDraft},
		"interrupted-early/working":         {"", "", BoxEmpty},
		"interrupted-early/after Esc":       {"", "", BoxDraft},
		"queued/queued":                     {"", "", BoxEmpty},
		"api-error-401/failed":              {"", "", BoxEmpty},
		"retrying/retrying":                 {"", "", BoxEmpty},
	}
	for name, want := range tests {
		of, which, _ := strings.Cut(name, "/")
		screen, err := scene(t, of).Screen(which)
		if err != nil {
			t.Fatal(err)
		}
		dialog, ok := Claude().ReadScreen(screen.Lines)
		if got := (seen{dialog.Name, dialog.Selected, Claude().ReadBox(screen.Unfaint())}); got != want || ok != (want.dialog != "") {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		// A screen that is drawn only in part may hide the box, but never a draft in it.
		for cut := range screen.Lines {
			if got := Claude().ReadBox(screen.Unfaint()[:cut]); got == BoxEmpty && want.box == BoxDraft {
				t.Errorf("%s: the first %d lines show an empty box", name, cut)
			}
		}
	}
}

func FuzzClaudeHook(f *testing.F) {
	for _, s := range scenes(f) {
		for _, payload := range s.Hooks {
			f.Add([]byte(payload), "allow", "")
		}
	}
	asked := with(f, recordedHook(f, "bash", "PermissionRequest"), "permission_suggestions", map[string]any{})
	f.Add(with(f, asked, "tool_input", []any{}), "allow_always", "x")
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
	for _, s := range scenes(f) {
		for _, line := range slices.Concat(s.Transcript, s.Subagent) {
			f.Add([]byte(line))
		}
	}
	f.Add(with(f, scene(f, "bash").Transcript[0], "message", map[string]string{"content": "x"}))
	f.Add(with(f, scene(f, "bash").Transcript[0], "attachment", 7))
	f.Add(with(f, scene(f, "bash").Transcript[0], "message", map[string]any{"id": "m", "usage": map[string]any{"input_tokens": 1e300, "output_tokens": -0.5}}))
	f.Fuzz(func(t *testing.T, line []byte) {
		lines, err := Claude().ReadTranscript(line)
		for _, l := range lines {
			if l.Use != nil && (l.Use.Total() <= 0 || l.Use.Total() > 4*maxTokens || l.Reply == "") {
				t.Errorf("use %+v of reply %q", l.Use, l.Reply)
			}
			if l.Cost != nil && (l.Cost.USD < 0 || l.Cost.USD > maxTokens || l.Cost.Tokens < 0) {
				t.Errorf("cost %+v", l.Cost)
			}
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
		var typed strings.Builder
		for _, keys := range claude.TypeMessage(clean) {
			paste, isPaste := strings.CutPrefix(string(keys), pasteBegin)
			paste, ends := strings.CutSuffix(paste, pasteEnd)
			if !isPaste || !ends || strings.ContainsAny(paste, "\x1b\r") || strings.Count(paste, "\n") > 2 || len(paste) > 800 {
				t.Fatalf("paste %q of message %q", paste, clean)
			}
			typed.WriteString(paste)
		}
		if got := typed.String(); got != clean && got != clean+" " {
			t.Errorf("typed %q, want %q", got, clean)
		}
	})
}

func FuzzClaudeStatus(f *testing.F) {
	for _, s := range scenes(f) {
		for _, status := range s.Statuses {
			f.Add([]byte(status))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if status, ok := parseClaudeStatus(text, time.Time{}); ok && status.Activity == "" {
			t.Errorf("status of %q has no activity", text)
		}
	})
}

func FuzzClaudeScreen(f *testing.F) {
	for _, s := range scenes(f) {
		for _, screen := range s.Screens {
			f.Add(strings.Join(screen.Lines, "\n"))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		screen := strings.Split(text, "\n")
		if dialog, ok := Claude().ReadScreen(screen); ok != (dialog.Name != "") {
			t.Errorf("dialog %+v, %v", dialog, ok)
		}
		Claude().ReadBox(screen)
	})
}
