package agentkind

import "testing"

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
