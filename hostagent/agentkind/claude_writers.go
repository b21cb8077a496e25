package agentkind

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// claudeWriter is what the CLI's file about itself says of whose it is.
type claudeWriter struct {
	claudeStatus
	SessionID string `json:"sessionId"`
	Dir       string `json:"cwd"`
	Name      string `json:"name"`
	Start     string `json:"procStart"` // of the process, as the system counts it
}

// claudeWriters reads the files of all CLI processes. What one killed has left behind is told by its process being
// another's now, or nobody's.
func claudeWriters(getenv func(string) string) []Writer {
	files, err := filepath.Glob(filepath.Join(escapeGlob(claudeConfigDir(getenv)), "sessions", "*.json"))
	if err != nil {
		return nil // the pattern is ours
	}
	var writers []Writer
	for _, file := range files {
		if w, ok := readClaudeWriter(file); ok {
			writers = append(writers, w)
		}
	}
	return writers
}

// readClaudeWriter looks again at a file that is being written just now.
func readClaudeWriter(file string) (Writer, bool) {
	var raw claudeWriter
	for range 3 {
		text, err := os.ReadFile(file)
		if err != nil {
			return Writer{}, false
		}
		if err = json.Unmarshal(text, &raw); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	named := strconv.Itoa(raw.PID) + ".json"
	if raw.PID <= 0 || filepath.Base(file) != named || conversationID(raw.SessionID) == "" {
		return Writer{}, false
	}
	if !sameProcess(raw.PID, raw.Start, time.UnixMilli(raw.StartedAt)) {
		return Writer{}, false
	}
	return Writer{PID: raw.PID, Conversation: raw.SessionID, Dir: raw.Dir, Name: raw.Name, Activity: Activity(raw.Status)}, true
}

// escapeGlob makes a pattern that means just this path.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
