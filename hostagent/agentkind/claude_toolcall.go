package agentkind

import (
	"encoding/json"
	"maps"
	"strings"
)

// ToolCall is what an agent is about to do with a tool, for the host's rules.
type ToolCall struct {
	Tools    []string // names by which rules may mean it, its own first; none: that could not be read
	Command  string   // what a shell would run
	Paths    []string // of files that would be read or changed
	URL      string
	Subagent string // the kind of the subagent that would be started
	Dir      string // absolute; relative paths are taken from there
	Unread   bool   // what it would do could not be read
}

// claudeToolInput is what in any tool's input a rule can be about.
type claudeToolInput struct {
	Command  string `json:"command"`
	File     string `json:"file_path"`
	Notebook string `json:"notebook_path"`
	Path     string `json:"path"`
	URL      string `json:"url"`
	Subagent string `json:"subagent_type"`
}

// claudeFamilies are the names of rules that mean several tools.
var claudeFamilies = map[string][]string{
	"Write": {"Edit"}, "Edit": {"Write"}, "MultiEdit": {"Edit", "Write"}, "NotebookEdit": {"Edit", "Write"},
	"Agent": {"Task"}, "Task": {"Agent"},
}

// readClaudeToolCall reads a PreToolUse hook. What cannot be read is said to be so, never left out.
func readClaudeToolCall(payload []byte) ToolCall {
	hook, err := parseClaudeHook(payload)
	if err != nil || hook.Tool == "" {
		return ToolCall{Unread: true}
	}
	call := ToolCall{Tools: append([]string{hook.Tool}, claudeFamilies[hook.Tool]...), Dir: hook.Cwd}
	if strings.HasPrefix(hook.Tool, "mcp__") {
		return call // its input has words of its own, and rules know its name only
	}
	var input claudeToolInput
	if len(hook.ToolInput) > 0 && unmarshalExactly(hook.ToolInput, &input) != nil {
		call.Tools = append(call.Tools, "Bash", "Read")
		call.Unread = true
		return call
	}
	call.Command, call.URL, call.Subagent = input.Command, input.URL, input.Subagent
	if call.Command != "" && hook.Tool != "Bash" {
		call.Tools = append(call.Tools, "Bash") // PowerShell, Monitor: whatever runs commands
	}
	for _, path := range []string{input.File, input.Notebook, input.Path} {
		if path != "" {
			call.Paths = append(call.Paths, path)
		}
	}
	if (len(call.Paths) > 0 || hook.Tool == "Grep" || hook.Tool == "Glob") && claudeFamilies[hook.Tool] == nil {
		call.Tools = append(call.Tools, "Read")
	}
	return call
}

// unmarshalExactly takes only the fields that are written as the CLI reads them: for Go, Command is command too, and
// what the model adds in capitals would be judged in place of what is run. The CLI refuses such a field today.
func unmarshalExactly(input json.RawMessage, into any) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(input, &fields); err != nil {
		return err
	}
	maps.DeleteFunc(fields, func(name string, _ json.RawMessage) bool {
		return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != ""
	})
	exact, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return json.Unmarshal(exact, into)
}

// claudeVerdict is the answer to a PreToolUse hook. It holds in every permission mode: a denial is the tool's result,
// and asking opens the dialog even for what a rule of the person's own or the mode would let pass.
func claudeVerdict(denied bool, reason string) []byte {
	type output struct {
		Event    string `json:"hookEventName"`
		Decision string `json:"permissionDecision"`
		Reason   string `json:"permissionDecisionReason"`
	}
	decision := "ask"
	if denied {
		decision = "deny"
	}
	// Strings always marshal.
	text, _ := json.Marshal(map[string]output{"hookSpecificOutput": {"PreToolUse", decision, reason}})
	return text
}
