package agentkind

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClaudeHooks(t *testing.T) {
	seen := map[string]bool{}
	for name, s := range scenes(t) {
		for _, payload := range s.Hooks {
			hook, err := Claude().ReadHook(payload)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			seen[hook.Event] = true
			want, known := claudeHookKinds[hook.Event]
			if !known {
				want = HookOther
			}
			if hook.Server != "" && hook.Event == "Notification" {
				want = HookFormOver
			}
			if hook.Kind != want || hook.Session == "" || hook.Transcript == "" || hook.WorkingDir == "" {
				t.Errorf("%s: hook = %+v", name, hook)
			}
			if bytes.Contains(payload, []byte(`"tool_name"`)) && (hook.Tool == "" || !json.Valid(hook.Input)) {
				t.Errorf("%s: %s of tool %q", name, hook.Event, hook.Tool)
			}
		}
	}
	for _, event := range claudeHookEvents {
		if !seen[event] {
			t.Errorf("no hook %s was recorded", event)
		}
	}
	for _, event := range []string{"PermissionRequest", "SubagentStart", "SubagentStop"} {
		hook, err := Claude().ReadHook(recordedHook(t, "subagent", event))
		if err != nil || hook.Agent == "" || hook.Subagent != "general-purpose" {
			t.Errorf("a subagent's %s is of agent %q, %q: %v", event, hook.Agent, hook.Subagent, err)
		}
	}
}

// TestClaudeFailures: a turn that failed says why, and of what kind that was.
func TestClaudeFailures(t *testing.T) {
	for name, want := range map[string]string{
		"api-error-400": "unknown: API Error: 400 scripted error",
		"api-error-401": "authentication_failed: Please run /login · API Error: 401 scripted error",
		"api-error-429": "rate_limit: API Error: Request rejected (429) · scripted error",
		"api-error-500": "server_error: API Error: 500 scripted error. This is a server-side issue",
		"api-error-529": "server_error: API Error: 529 scripted error. This is a server-side issue",
	} {
		hook, err := Claude().ReadHook(recordedHook(t, name, "StopFailure"))
		if got := hook.Failure + ": " + hook.Text; err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
}

// TestClaudeEndings: only an end at the terminal is one that a person made.
func TestClaudeEndings(t *testing.T) {
	for name, want := range map[string]string{"exit": "ended at the terminal", "clear": "", "bash": ""} {
		hook, err := Claude().ReadHook(recordedHook(t, name, "SessionEnd"))
		if err != nil || hook.Text != want {
			t.Errorf("%s: %q, %v, want %q", name, hook.Text, err, want)
		}
	}
}

func TestClaudeSettings(t *testing.T) {
	text := Claude().Settings(func(event string) string { return "run " + event })
	var settings struct {
		Hooks map[string][]claudeHookMatcher `json:"hooks"`
	}
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	want := []claudeHookMatcher{{Hooks: []claudeHookCommand{{Type: "command", Command: "run PermissionRequest", Timeout: 86400}}}}
	if diff := cmp.Diff(want, settings.Hooks["PermissionRequest"]); diff != "" {
		t.Errorf("PermissionRequest (-want +got):\n%s", diff)
	}
	if hook := settings.Hooks["Stop"][0].Hooks[0]; hook.Command != "run Stop" || hook.Timeout != 0 {
		t.Errorf("Stop = %+v", hook)
	}
}

// TestClaudeHookSession: what a hook calls its conversation becomes an argument when the agent is resumed.
func TestClaudeHookSession(t *testing.T) {
	const id = "909c7a58-1ba2-4268-a9d1-0b67496cd525"
	started := recordedHook(t, "bash", "SessionStart")
	for said, want := range map[string]string{
		id:                                 id,
		"--dangerously-skip-permissions":   "",
		"-p":                               "",
		"":                                 "",
		"{" + id + "}":                     "",
		"urn:uuid:" + id:                   "",
		id + " --model=x":                  "",
		"909c7a581ba24268a9d10b67496cd525": "",
	} {
		hook, err := readClaudeHook(with(t, started, "session_id", said))
		if err != nil || hook.Session != want {
			t.Errorf("session %q read as %q, %v; want %q", said, hook.Session, err, want)
		}
	}
}
