package agentkind

import (
	"encoding/json"
	"fmt"
)

// claudeHookEvents are the hooks that state, prompts and receipts are read from. SessionStart does not arrive
// over HTTP, and a command hook notices by its SIGTERM that the dialog was closed with Esc: so all are commands.
var claudeHookEvents = []string{
	"SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse",
	"PostToolUseFailure", "Stop", "StopFailure", "Notification", "SubagentStart", "SubagentStop", "PreCompact",
	"PostCompact", claudeFormHook, claudeFormResultHook,
}

// claudeHookSeconds bounds the wait for an answer to a dialog: a day. When it is over the dialog stays open in
// the terminal, and only the way to answer from elsewhere is gone. The CLI's default is 600 s.
const claudeHookSeconds = 86400

type claudeHookCommand struct {
	Type    string `json:"type"`
	Command string `json:"command"`
	Timeout int    `json:"timeout,omitempty"` // seconds
}

type claudeHookMatcher struct {
	Hooks []claudeHookCommand `json:"hooks"`
}

// claudeSettings is merged by the CLI with the person's own settings; all matching hooks run. These settings come
// before a project's, so that no repository can switch off the hooks by which the host's rules hold.
func claudeSettings(hookCommand func(event string) string) []byte {
	hooks := map[string][]claudeHookMatcher{}
	for _, event := range claudeHookEvents {
		command := claudeHookCommand{Type: "command", Command: hookCommand(event)}
		if event == "PermissionRequest" {
			command.Timeout = claudeHookSeconds
		}
		hooks[event] = []claudeHookMatcher{{Hooks: []claudeHookCommand{command}}}
	}
	text, err := json.MarshalIndent(map[string]any{"hooks": hooks, "disableAllHooks": false}, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("agentkind: strings cannot be marshalled: %v", err)) // a programming error
	}
	return text
}
