package e2e

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// bothEras runs a test over a connection of each era of the protocol.
func (w *world) bothEras(t *testing.T, p person, test func(*testing.T, person)) {
	for name, era := range map[string]harness.Era{"2026-07-28": harness.Modern, "2025-11-25": harness.Legacy} {
		t.Run(name, func(t *testing.T) {
			connection, err := harness.Dial(t.Context(), w.plane.MCP(), p.tokens.Access, era)
			must(t, err)
			defer func() { expect(t, connection.Close()) }()
			p.MCP = connection
			test(t, p)
		})
	}
}

// raw calls a tool with a single POST.
func (w *world) raw(t *testing.T, p person, tool string, arguments any) *harness.Answer {
	t.Helper()
	answer, err := harness.CallRaw(t.Context(), w.plane.MCP(), p.tokens.Access, tool, arguments)
	must(t, err)
	return answer
}

// awaitNoAgents waits until no agent is left on a host.
func (w *world) awaitNoAgents(t *testing.T, h *harness.Host) {
	t.Helper()
	await(t, "the agents on "+h.Name+" to end", func(context.Context) (bool, error) {
		agents, err := h.Agents()
		return len(agents) == 0, err
	})
}

func wantNoFile(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v, want it not to exist", path, err)
	}
}
