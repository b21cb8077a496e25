package web

import (
	"encoding/json"
	"testing"
)

func TestToolCall(t *testing.T) {
	for _, c := range []struct{ name, input, summary, body string }{
		{"a command alone", `{"command":"npm test\nls"}`, "npm test", "npm test\nls"},
		{"a file", `{"content":"<b>","file_path":"/tmp/x"}`, "/tmp/x", "{\n  \"content\": \"<b>\",\n  \"file_path\": \"/tmp/x\"\n}\n"},
		{"unknown fields", `{"n":1}`, `{"n":1}`, "{\n  \"n\": 1\n}\n"},
		{"no object", `[1]`, `[1]`, "[\n  1\n]\n"},
		{"empty", `{}`, "", "{}\n"},
		{"nothing", ``, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := callSummary(json.RawMessage(c.input)); got != c.summary {
				t.Errorf("summary = %q, want %q", got, c.summary)
			}
			if got := indented(json.RawMessage(c.input)); got != c.body {
				t.Errorf("body = %q, want %q", got, c.body)
			}
		})
	}
}
