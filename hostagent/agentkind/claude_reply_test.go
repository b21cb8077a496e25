package agentkind

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
