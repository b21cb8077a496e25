package session

import (
	"context"
	"slices"
	"time"

	"switchboard/hostagent/protocol"
)

// versionPatience bounds the wait for an agent's program to say its version, which takes 0.02 s.
const versionPatience = 5 * time.Second

// Describe is what this host offers: its agents, the directories and the permission modes that may be asked for.
func (m *Manager) Describe() (kinds []protocol.Kind, roots, modes []string) {
	ctx, cancel := context.WithTimeout(m.running, versionPatience)
	defer cancel()
	for _, kind := range m.Kinds {
		if m.rules().Agent(kind.Name) != nil {
			continue
		}
		described := protocol.Kind{Name: kind.Name}
		_, version, err := FindProgram(ctx, m.rules(), m.Environ, kind)
		if err != nil {
			described.Missing = outgoingLine(err.Error())
		}
		described.Version = kind.VersionWords(version)
		kinds = append(kinds, described)
	}
	return kinds, slices.Clone(m.rules().Roots), slices.Clone(m.rules().Modes)
}
