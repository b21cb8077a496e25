package session

import (
	"slices"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// onlyWriter refuses to start an agent on a conversation that a live process has open: the agent itself lets two of
// them write the same one.
func (m *Manager) onlyWriter(kind agentkind.Kind, conversation string) error {
	open := m.writersOf(kind, conversation)
	if len(open) == 0 {
		return nil
	}
	return protocol.Errorf(protocol.CodeConflict, "process %d has this conversation open in %s (%s), and only one may write it: end that first",
		open[0].PID, outgoingLine(open[0].Dir), outgoingLine(string(open[0].Activity)))
}

// writersOf are the live processes that have the conversation open.
func (m *Manager) writersOf(kind agentkind.Kind, conversation string) []agentkind.Writer {
	return slices.DeleteFunc(kind.Writers(m.getenv), func(w agentkind.Writer) bool { return w.Conversation != conversation })
}

// getenv reads the environment that agents get.
func (m *Manager) getenv(name string) string { return lookup(m.Environ, name) }
