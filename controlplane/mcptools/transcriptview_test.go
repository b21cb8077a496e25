package mcptools

import (
	"strings"
	"testing"
	"time"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestEntryLine(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	asked := &protocol.Prompt{
		Kind: protocol.PromptChoice, Title: "Which database?", Subagent: "Plan\x1b[2J",
		Questions: []protocol.Question{{Text: "Which database?", Options: []protocol.QuestionOption{{Label: "PostgreSQL"}, {Label: "SQLite"}}}},
	}
	for want, e := range map[string]fleet.TranscriptEntry{
		"user: hello": {Entry: protocol.Entry{Role: protocol.RoleUser, Text: "hello\x07"}},
		`tool_call (subagent Explore a2fb1fd1) Bash: {"command":"ls"} (15 tokens in, 3 out)`: {Entry: protocol.Entry{
			Role: protocol.RoleToolCall, Tool: "Bash", Input: []byte(`{"command":"ls"}`), Subagent: "Explore", SubagentID: "a2fb1fd16be3a9bd6",
			Usage: &protocol.ReplyUsage{Usage: protocol.Usage{Input: 4, Output: 3, CacheRead: 5, CacheWrite: 6}},
		}},
		"tool_result denied by a rule on the host: no":                                     {Entry: protocol.Entry{Role: protocol.RoleToolResult, Text: "no", DeniedBy: protocol.WhereRule}},
		"question (subagent Plan): Which database?\nWhich database? [PostgreSQL | SQLite]": {Entry: protocol.Entry{Role: fleet.RoleQuestion}, Asked: asked},
		"answer (subagent Plan): Which database? Answered at the terminal: “SQLite” (known by hook PostToolUse)": {
			Entry: protocol.Entry{Role: fleet.RoleAnswer}, Asked: asked,
			Settled: &protocol.Settlement{Outcome: protocol.OutcomeAnswered, Where: protocol.WhereTerminal, Answer: "SQLite", Evidence: "hook PostToolUse"},
		},
	} {
		e.At = at
		if got := strings.TrimPrefix(entryLine(e), "[2026-11-29T12:00:00Z] "); got != want {
			t.Errorf("entry is shown as\n%q, want\n%q", got, want)
		}
	}
}
