package agentkind

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestClaudeSubagentFiles(t *testing.T) {
	if got, want := claudeSubagentDir("/p/c1.jsonl"), filepath.FromSlash("/p/c1/subagents"); got != want {
		t.Errorf("directory %q, want %q", got, want)
	}
	if got := claudeSubagentDir("/p/c1.txt"); got != "" {
		t.Errorf("directory %q beside what is no transcript", got)
	}
	for name, want := range map[string]string{
		"agent-a2fb1fd16be3a9bd6.jsonl":               "a2fb1fd16be3a9bd6",
		"agent-acompact-1_b.jsonl":                    "acompact-1_b",
		"agent-a2fb1fd16be3a9bd6.meta.json":           "",
		"agent-.jsonl":                                "",
		"agent-../../x.jsonl":                         "",
		"agent-a.b.jsonl":                             "",
		"agent-a\n.jsonl":                             "",
		"agent-" + strings.Repeat("a", 65) + ".jsonl": "",
		"journal.jsonl":                               "",
	} {
		id, about, ok := claudeSubagentFile(name)
		if id != want || ok != (want != "") || ok && about != "agent-"+want+".meta.json" {
			t.Errorf("%q: %q, %q, %v; want %q", name, id, about, ok, want)
		}
	}
}

// The notes are as CLI 2.1.329 wrote them.
func TestClaudeSubagents(t *testing.T) {
	for text, want := range map[string]Subagent{
		`{"agentType":"general-purpose","isBuiltIn":true,"launchedWithDefaults":true,"description":"Scripted work","toolUseId":"toolu_UH3C","spawnDepth":1,"requestShape":"background","model":"claude-opus-5-5","finished":true}`: {Kind: "general-purpose", Call: "toolu_UH3C"},
		`{"agentType":"Explore","toolUseId":"toolu_QU22","parentAgentId":"a2fb1fd16be3a9bd6","spawnDepth":2}`:                                                                                                                      {Kind: "Explore", Call: "toolu_QU22"},
		`{"agentType":7}`: {},
		`{"agentType":`:   {},
		``:                {},
	} {
		if got := readClaudeSubagent([]byte(text)); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func FuzzClaudeSubagent(f *testing.F) {
	f.Add([]byte(`{"agentType":"Explore","toolUseId":"toolu_1"}`), "agent-a1.jsonl")
	f.Add([]byte(`{"agentType":["x"]}`), "agent-../x.jsonl")
	f.Fuzz(func(t *testing.T, about []byte, name string) {
		readClaudeSubagent(about)
		id, beside, ok := claudeSubagentFile(name)
		if ok && (filepath.Base(beside) != beside || filepath.Base(name) != name || id == "") {
			t.Errorf("%q leads to %q, %q", name, id, beside)
		}
	})
}
