// Package agentlog is what a stand-in for an agent notes of what really arrived, for a test to read afterwards.
package agentlog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Kind is what happened.
type Kind string

// The kinds.
const (
	Started     Kind = "started"
	Message     Kind = "message"     // Text is what the agent was told
	Merged      Kind = "merged"      // Text is several messages that were queued together
	Asked       Kind = "asked"       // Tool is the call that the dialog is about
	Allowed     Kind = "allowed"     // the call ran; Text says who let it: hook or terminal
	Denied      Kind = "denied"      // by the hook's answer
	Rejected    Kind = "rejected"    // at the terminal
	Interrupted Kind = "interrupted" // while it worked
	Finished    Kind = "finished"    // a turn, by itself
	Ended       Kind = "ended"       // asked to end; an agent that is killed notes nothing
)

// Entry is one line.
type Entry struct {
	At   time.Time `json:"at"`
	PID  int       `json:"pid"`
	Kind Kind      `json:"kind"`
	Text string    `json:"text,omitempty"`
	Tool string    `json:"tool,omitempty"`
}

// Path is where the agent of a session keeps its log.
func Path(home, session string) string { return filepath.Join(home, "agentlog", session+".jsonl") }

// OutputPath is where a process of the session's agent keeps what it has written to its terminal: each piece before the
// terminal has it, so that a kill leaves it here only.
func OutputPath(home, session string, pid int) string {
	return filepath.Join(home, "agentlog", fmt.Sprintf("%s.%d.out", session, pid))
}

// Read reads a whole log. An agent that never started has none.
func Read(home, session string) ([]Entry, error) {
	file, err := os.Open(Path(home, session))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var entries []Entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry Entry
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		entries = append(entries, entry)
	}
	return entries, lines.Err()
}
