package agentkind

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
