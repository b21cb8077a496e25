package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/sample"
)

// TestImitation: what the stand-in sends and writes, the real CLI was recorded to send and write, field by field.
func TestImitation(t *testing.T) {
	scenes, err := sample.ReadAll(filepath.Join("..", "..", "..", "hostagent", "agentkind", "testdata", "claude"))
	if err != nil {
		t.Fatal(err)
	}
	var hooks, transcript, statuses []json.RawMessage
	for _, s := range scenes {
		hooks = append(hooks, s.Hooks...)
		transcript = append(transcript, s.Transcript...)
		statuses = append(statuses, s.Statuses...)
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Chdir(dir)
	a, err := newAgent("00000001-0000-4000-8000-000000000000", settings(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	a.hooks.run(t.Context(), "SessionStart", a.payload("SessionStart", object{"source": "startup"}))
	a.turn(t.Context(), []string{"ask for it"})
	a.turn(t.Context(), []string{"delegate it"})
	a.become("waiting", "permission prompt")
	a.hooks.run(t.Context(), "SessionEnd", a.payload("SessionEnd", object{"reason": "other"}))
	for name, test := range map[string]struct {
		path     string
		recorded []json.RawMessage
		kind     string // the field that tells records of the same kind
		atLeast  int
	}{
		"hooks":      {filepath.Join(dir, "hooks"), hooks, "hook_event_name", 12},
		"transcript": {a.transcript, transcript, "type", 8},
		"status":     {a.status, statuses, "kind", 1},
	} {
		text, err := os.ReadFile(test.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) < test.atLeast {
			t.Errorf("%s: only %d records", name, len(lines))
		}
		for _, line := range lines {
			said := decode(t, []byte(line))
			alike := slices.ContainsFunc(test.recorded, func(r json.RawMessage) bool {
				real := decode(t, r)
				return (said[test.kind] == nil || said[test.kind] == real[test.kind]) && covers(real, said)
			})
			if !alike {
				t.Errorf("%s: the real CLI was not recorded to write anything like %s", name, line)
			}
		}
	}
}

// settings make each hook keep its payload, and allow what is asked.
func settings(t *testing.T, dir string) string {
	t.Helper()
	hooks := object{}
	for _, event := range []string{"SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop", "SessionEnd"} {
		command := fmt.Sprintf("(cat; echo) >> '%s/hooks'", dir)
		if event == "PermissionRequest" {
			command += `; echo '{"hookSpecificOutput":{"decision":{"behavior":"allow"}}}'`
		}
		hooks[event] = []object{{"hooks": []object{{"command": command}}}}
	}
	text, err := json.Marshal(object{"hooks": hooks})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "settings.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// covers reports whether the real value has every field of the imitation's, each of the same type. What a tool takes
// and gives is the tool's.
func covers(real, said any) bool {
	switch said := said.(type) {
	case map[string]any:
		fields, ok := real.(map[string]any)
		for name, value := range said {
			ok = ok && (fields[name] != nil && covers(fields[name], value) || value == "")
		}
		return ok
	case []any:
		list, ok := real.([]any)
		for i, value := range said {
			ok = ok && i < len(list) && covers(list[i], value)
		}
		return ok
	}
	return fmt.Sprintf("%T", real) == fmt.Sprintf("%T", said)
}
