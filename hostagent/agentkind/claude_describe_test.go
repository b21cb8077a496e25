package agentkind

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClaudeTools: what a prompt shows says exactly what would be done, whatever the tool. The inputs are the real CLI's,
// but for MultiEdit, which this version has no more, and PowerShell.
func TestClaudeTools(t *testing.T) {
	for _, test := range []struct{ tool, input, title, detail string }{
		{"Bash", `{"command":"touch x","description":"Run touch"}`, "Run touch x", "touch x\n\n(the agent says: Run touch)"},
		{"Bash", `{"command":"touch x","timeout":5000,"description":"bg","run_in_background":true,"dangerouslyDisableSandbox":true}`,
			"Run touch x", "touch x\n\n(the agent says: bg)\n\nwith {\n  \"dangerouslyDisableSandbox\": true,\n  \"run_in_background\": true,\n  \"timeout\": 5000\n}"},
		{"Monitor", `{"description":"watch","timeout_ms":300000,"command":"tail -f /etc/hosts"}`,
			"Run tail -f /etc/hosts", "tail -f /etc/hosts\n\n(the agent says: watch)\n\nwith {\n  \"timeout_ms\": 300000\n}"},
		{"PowerShell", `{"command":"dir"}`, "Run dir", "dir"},
		{"Write", `{"file_path":"/p/n.txt","content":"hello\n"}`, "Write n.txt", "/p/n.txt\n\nhello\n"},
		{"Edit", `{"file_path":"/p/e.txt","old_string":"one","new_string":"three","replace_all":true}`,
			"Edit e.txt", "/p/e.txt\n\n- one\n+ three\n(everywhere in the file)"},
		{"Edit", `{"file_path":"/p/e.txt","old_string":"one","new_string":"three","replace_all":false}`, "Edit e.txt", "/p/e.txt\n\n- one\n+ three"},
		{"MultiEdit", `{"file_path":"/p/e.txt","edits":[{"old_string":"one","new_string":"two"},{"old_string":"a\nb","new_string":""}]}`,
			"Edit e.txt", "/p/e.txt\n\n- one\n+ two\n\n- a\n- b\n+ "},
		{"NotebookEdit", `{"notebook_path":"/p/n.ipynb","cell_id":"c1","new_source":"print(2)","cell_type":"code","edit_mode":"replace"}`,
			"Edit n.ipynb", "/p/n.ipynb\n\nReplace cell c1 (code):\nprint(2)"},
		{"NotebookEdit", `{"notebook_path":"/p/n.ipynb","cell_id":"c1","new_source":"","edit_mode":"delete"}`, "Edit n.ipynb", "/p/n.ipynb\n\nDelete cell c1"},
		{"Read", `{"file_path":"/etc/hosts"}`, "Read hosts", "/etc/hosts"},
		{"Read", `{"file_path":"/etc/hosts","offset":3}`, "Read hosts", "/etc/hosts\n\nwith {\n  \"offset\": 3\n}"},
		{"Grep", `{"pattern":"root","path":"/etc/passwd"}`, "Search /etc/passwd for root", "/etc/passwd\n\nroot"},
		{"WebFetch", `{"url":"https://example.com/a","prompt":"what is it"}`, "Fetch https://example.com/a", "https://example.com/a\n\nand ask of it: what is it"},
		{"WebSearch", `{"query":"go slices"}`, "Search the web for go slices", "go slices"},
		{"Skill", `{"skill":"tidy","args":"all"}`, "Use the skill tidy", "tidy all"},
		{"Agent", `{"description":"d","subagent_type":"general-purpose","prompt":"say hi"}`, "Start a subagent (general-purpose): d", "say hi"},
		{"mcp__asker__ask", `{"a":1}`, "Use ask of MCP server asker", "{\n  \"a\": 1\n}"},
		{"Bash", `{"command":["touch","x"]}`, "Use Bash", "{\n  \"command\": [\n    \"touch\",\n    \"x\"\n  ]\n}"},
		{"Write", `{"content":"no file"}`, "Use Write", "{\n  \"content\": \"no file\"\n}"},
	} {
		ask, err := readClaudeAsk([]byte(`{"hook_event_name":"PermissionRequest","tool_name":"` + test.tool + `","tool_input":` + test.input + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{test.title, test.detail}, []string{ask.Title, ask.Detail}); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.tool, test.input, diff)
		}
	}
}
