package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"switchboard/hostagent/protocol"
)

// birth is what a session was asked to be. It is on disk before anything runs, and holds the flags that the
// agent is started with again when the session is resumed.
type birth struct {
	Session        protocol.SessionID   `json:"session_id"`
	Command        protocol.CommandID   `json:"command_id"`
	Actor          string               `json:"actor"`
	Name           string               `json:"name"`
	Agent          string               `json:"agent"`
	AgentVersion   string               `json:"agent_version"`
	Program        string               `json:"program"`
	WorkingDir     string               `json:"working_dir"`
	PermissionMode string               `json:"permission_mode"`
	At             time.Time            `json:"at"`
	Conversation   string               `json:"conversation,omitempty"` // that was there before the session, which was adopted; empty: it was created
	Resumed        []protocol.CommandID `json:"resumed,omitempty"`      // commands that started it again
	Revived        []time.Time          `json:"revived,omitempty"`      // when the policy last started it again: up to revivals
}

const birthFile = "session.json"

func readBirth(dir string) (birth, error) {
	var b birth
	text, err := os.ReadFile(filepath.Join(dir, birthFile))
	if err != nil {
		return b, fmt.Errorf("reading a session: %w", err)
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("session %s: %w", dir, err)
	}
	return b, nil
}

func (b birth) write(dir string) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return fmt.Errorf("session %s: %w", b.Session, err)
	}
	return replaceFile(filepath.Join(dir, birthFile), text)
}

// resumedBy reports whether this command has started the session again already.
func (b birth) resumedBy(command protocol.CommandID) bool { return slices.Contains(b.Resumed, command) }

// replaceFile makes a file hold exactly this text, also if the machine stops in the middle.
func replaceFile(path string, text []byte) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes new and renamed names in a directory last.
func syncDirectory(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return errors.Join(file.Sync(), file.Close())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
