package agentkind

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestToolCallIsReadAsTheAgentReadsIt: names in other letters are other fields.
func TestToolCallIsReadAsTheAgentReadsIt(t *testing.T) {
	for input, want := range map[string]ToolCall{
		`{"command":"git push","Command":"ls"}`:      {Tools: []string{"Bash"}, Command: "git push"},
		`{"command":"git push","COMMAND":["ls"]}`:    {Tools: []string{"Bash"}, Command: "git push"},
		`{"command":"ls","command":"git push"}`:      {Tools: []string{"Bash"}, Command: "git push"},
		`{"file_path":"a","FILE_PATH":"b","path":1}`: {Tools: []string{"Bash", "Bash", "Read"}, Unread: true},
		`[]`:   {Tools: []string{"Bash", "Bash", "Read"}, Unread: true},
		`null`: {Tools: []string{"Bash"}},
	} {
		got := readClaudeToolCall([]byte(`{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":` + input + `}`))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", input, diff)
		}
	}
}

// TestAskIsReadAsTheAgentReadsIt: what a person is shown is what would be run.
func TestAskIsReadAsTheAgentReadsIt(t *testing.T) {
	ask, err := readClaudeAsk([]byte(`{"hook_event_name":"PermissionRequest","tool_name":"Bash","tool_input":{"command":"git push","Command":"ls"}}`))
	if err != nil || ask.Title != "Run git push" || !strings.HasPrefix(ask.Detail, "git push\n") {
		t.Errorf("the person is asked %q (%q, %v), want what is run", ask.Title, ask.Detail, err)
	}
}
