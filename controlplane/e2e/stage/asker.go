package stage

import (
	"encoding/json"
	"os"
	"path/filepath"

	"switchboard/controlplane/e2e/asker"
)

// AddAsker gives the CLI the MCP server whose tool mcp__asker__ask asks the person what its arguments say.
func (s *Stage) AddAsker() {
	self, err := os.Executable()
	s.Check(err)
	servers, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"asker": map[string]any{"command": self, "args": []string{asker.Argument}}}})
	s.Check(err)
	file := filepath.Join(s.Dir, "mcp.json")
	s.Check(os.WriteFile(file, servers, 0o600))
	s.Args = append(s.Args, "--mcp-config", file)
}
