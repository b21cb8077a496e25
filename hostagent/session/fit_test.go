package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestEventsFit: whatever an agent says, no event is larger than what fits into a message, a prompt says what it
// leaves out, and its digest covers just what it shows.
func TestEventsFit(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("<", 256<<10) // each becomes six bytes
	long := func(n int) []any {
		return slicesOf(n, map[string]any{"label": huge[:1<<10], "description": huge[:1<<10]})
	}
	for name, test := range map[string]struct {
		changes map[string]any // of what was recorded
		want    string         // in the prompt
	}{
		"short":             {map[string]any{"tool_name": "Bash", "tool_input": map[string]any{"command": "ls"}}, ""},
		"file":              {map[string]any{"tool_name": "Write", "tool_input": map[string]any{"file_path": "/a", "content": huge}}, "more bytes: read them at the terminal"},
		"plan":              {map[string]any{"tool_name": "ExitPlanMode", "tool_input": map[string]any{"plan": huge}}, "more bytes: read them at the terminal"},
		"many questions":    {questions(40, long(2)), "24 questions or options are not shown"},
		"many options":      {questions(1, long(40)), "24 questions or options are not shown"},
		"large questions":   {questions(16, long(16)), "more bytes]"},
		"rule":              {map[string]any{"tool_name": "Bash", "tool_input": map[string]any{"command": "ls"}, "permission_suggestions": []any{map[string]any{"type": "addRules", "behavior": "allow", "destination": "session", "rules": []any{map[string]any{"toolName": "Bash", "ruleContent": huge}}}}}, "more bytes]"},
		"names":             {map[string]any{"tool_name": huge, "agent_type": huge, "permission_mode": huge, "tool_input": map[string]any{}}, "more bytes]"},
		"a file of strange": {map[string]any{"tool_name": huge, "tool_input": map[string]any{"a": huge}}, "more bytes: read them at the terminal"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFold(birth{Session: protocol.NewSessionID(), At: time.Now()}, agentkind.Claude(), policy.Default())
			payload := recordedHook(t, "bash", "PermissionRequest", test.changes)
			body, err := json.Marshal(holder.Hook{ID: "h", Event: "PermissionRequest", Held: true, Payload: payload})
			check(t, err)
			check(t, f.apply(holder.Entry{N: 1, At: time.Now(), Kind: holder.KindHook, Body: body}))
			events := f.told
			for _, e := range events {
				if len(e.Body) >= 512<<10 {
					t.Errorf("%s of %d bytes", e.Kind, len(e.Body))
				}
			}
			p := firstPrompt(t, events)
			if p.Digest != p.Sum() {
				t.Error("the digest does not cover what is shown")
			}
			if text := fmt.Sprintf("%+v", p); !strings.Contains(text, test.want) {
				t.Errorf("no %q in what is told: %.300s", test.want, text)
			}
		})
	}
}

func questions(n int, options []any) map[string]any {
	question := map[string]any{"header": "h", "question": strings.Repeat("q", 1<<10), "options": options}
	return map[string]any{"tool_name": "AskUserQuestion", "tool_input": map[string]any{"questions": slicesOf(n, question)}}
}

func slicesOf(n int, value any) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = value
	}
	return all
}
