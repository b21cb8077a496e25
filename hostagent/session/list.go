package session

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// List reads the sessions in a manager's directory, oldest first, beside a manager that may be running there. Of a
// session without a terminal, whose end nobody has seen yet, the state is uncertain.
func List(dir string) ([]protocol.Session, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the sessions: %w", err)
	}
	var sessions []protocol.Session
	for _, entry := range entries {
		id, err := protocol.ParseSessionID(entry.Name())
		if err != nil || !exists(filepath.Join(dir, entry.Name(), birthFile)) {
			continue
		}
		s, err := lastState(filepath.Join(dir, string(id)))
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
	}
	slices.SortFunc(sessions, func(a, b protocol.Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return sessions, nil
}

func lastState(dir string) (protocol.Session, error) {
	b, err := readBirth(dir)
	if err != nil {
		return protocol.Session{}, err
	}
	s := protocol.Session{ID: b.Session, Name: b.Name, Agent: b.Agent, AgentVersion: b.AgentVersion,
		WorkingDir: b.WorkingDir, PermissionMode: b.PermissionMode, State: protocol.StateStarting, StartedAt: b.At, Adopted: b.Conversation != ""}
	text, err := os.ReadFile(filepath.Join(dir, eventsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("session %s: %w", b.Session, err)
	}
	lines := bytes.Split(text, []byte("\n"))
	for _, line := range slices.Backward(lines[:len(lines)-1]) { // behind the last newline nothing is whole
		if said, ok := stateIn(line); ok {
			s = said
			break
		}
	}
	if s.State != protocol.StateExited && !holder.Alive(dir) {
		s.State = protocol.StateUncertain
	}
	return s, nil
}

// stateIn is the last state of the session that a line of its event log tells.
func stateIn(line []byte) (protocol.Session, bool) {
	if !bytes.Contains(line, []byte(protocol.EventSession)) {
		return protocol.Session{}, false
	}
	var told step
	if err := json.Unmarshal(line, &told); err != nil {
		return protocol.Session{}, false
	}
	for _, event := range slices.Backward(told.Events) {
		if event.Kind != protocol.EventSession {
			continue
		}
		s, err := protocol.Decode[protocol.Session](event)
		return s, err == nil
	}
	return protocol.Session{}, false
}
