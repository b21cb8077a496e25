package agentkind

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// claudeStatus is the CLI's own file about itself, <config>/sessions/<pid>.json. It is rewritten within about
// 50 ms of each change and alone shows that a turn was ended with Esc. After SIGKILL it stays behind; a later
// process with the same number is told apart by its start.
type claudeStatus struct {
	PID       int    `json:"pid"`
	Session   string `json:"sessionId"`
	Version   string `json:"version"`
	Status    string `json:"status"`
	WaitsFor  string `json:"waitingFor"`
	StartedAt int64  `json:"startedAt"`       // Unix milliseconds
	ChangedAt int64  `json:"statusUpdatedAt"` // Unix milliseconds
}

// claudeConfigDir is where the CLI keeps its state.
func claudeConfigDir(getenv func(string) string) string {
	if dir := getenv("CLAUDE_CONFIG_DIR"); dir != "" {
		return dir
	}
	return filepath.Join(getenv("HOME"), ".claude")
}

func claudeStatusFile(p Process) string {
	if p.PID <= 0 {
		return ""
	}
	return filepath.Join(claudeConfigDir(p.Getenv), "sessions", strconv.Itoa(p.PID)+".json")
}

func readClaudeStatus(p Process) (Status, bool) {
	path := claudeStatusFile(p)
	if path == "" {
		return Status{}, false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Status{}, false
	}
	return parseClaudeStatus(text, p.StartedAt)
}

// parseClaudeStatus takes a half-written file for none: the next look finds it whole.
func parseClaudeStatus(text []byte, started time.Time) (Status, bool) {
	var raw claudeStatus
	if err := json.Unmarshal(text, &raw); err != nil {
		return Status{}, false
	}
	if time.UnixMilli(raw.StartedAt).Before(started.Add(-time.Second)) {
		return Status{}, false
	}
	status := Status{
		Activity: Activity(raw.Status), Dialog: raw.WaitsFor, At: time.UnixMilli(raw.ChangedAt), Version: raw.Version,
		Asks: raw.WaitsFor != "" && raw.WaitsFor != "dialog open", Session: conversationID(raw.Session),
	}
	switch status.Activity {
	case ActivityIdle, ActivityBusy, ActivityWaiting:
		return status, true
	}
	return Status{}, false
}
