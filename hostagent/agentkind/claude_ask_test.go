package agentkind

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
