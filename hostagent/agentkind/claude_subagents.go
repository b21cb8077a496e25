package agentkind

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
)

// claudeSubagentDir: the transcripts of all of a conversation's subagents, nested ones too, lie side by side in one
// directory, which the CLI makes for the first of them.
func claudeSubagentDir(transcript string) string {
	conversation, ok := strings.CutSuffix(transcript, ".jsonl")
	if !ok {
		return ""
	}
	return filepath.Join(conversation, "subagents")
}

var claudeSubagentName = regexp.MustCompile(`^agent-([A-Za-z0-9_-]{1,64})\.jsonl$`)

// claudeSubagentFile knows a subagent's transcript by its name. Beside it lies what the CLI notes of the subagent.
func claudeSubagentFile(name string) (id, about string, ok bool) {
	match := claudeSubagentName.FindStringSubmatch(name)
	if match == nil {
		return "", "", false
	}
	return match[1], "agent-" + match[1] + ".meta.json", true
}

// readClaudeSubagent reads that note. What cannot be read says nothing.
func readClaudeSubagent(text []byte) Subagent {
	var raw struct {
		Kind string `json:"agentType"`
		Call string `json:"toolUseId"`
	}
	if json.Unmarshal(text, &raw) != nil {
		return Subagent{}
	}
	return Subagent{Kind: raw.Kind, Call: raw.Call}
}
