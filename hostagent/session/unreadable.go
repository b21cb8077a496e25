package session

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"switchboard/hostagent/protocol"
)

// cannotRead remembers a session of which something in the middle cannot be read. Its agent may well run: so it is shown
// as what it is, uncertain, and neither forgotten nor guessed at.
func (m *Manager) cannotRead(id protocol.SessionID, why error) {
	s := protocol.Session{
		ID: id, State: protocol.StateUncertain, Evidence: outgoingLine("what the host kept of it is damaged: " + why.Error()),
		StateAt: m.Now(), LastSeq: readableSeq(m.dir(id)),
	}
	if b, err := readBirth(m.dir(id)); err == nil {
		s.Name, s.Agent, s.AgentVersion, s.WorkingDir = b.Name, b.Agent, b.AgentVersion, b.WorkingDir
		s.PermissionMode, s.StartedAt = b.PermissionMode, b.At
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unreadable[id] = s
}

func (m *Manager) damaged() []protocol.Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.unreadable))
}

// seqs finds the numbers of events in a line that may be damaged. Within a JSON text their quotes would be escaped.
var seqs = regexp.MustCompile(`"seq":(\d+)`)

// readableSeq is the seq of the last event, as far as the numbers go on without a gap: what is said of the session now
// comes after all that was said before.
func readableSeq(dir string) (last uint64) {
	text, err := os.ReadFile(filepath.Join(dir, eventsFile))
	if err != nil {
		return 0
	}
	for _, found := range seqs.FindAllSubmatch(text, -1) {
		if n, err := strconv.ParseUint(string(found[1]), 10, 64); err == nil && n == last+1 {
			last = n
		}
	}
	return last
}
