package stage

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// serveAsker is a small MCP server on standard input and output: its one tool asks the person a question.
func serveAsker(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	var waiting json.RawMessage // the id of the tool's call
	for lines.Scan() {
		var message struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Version string `json:"protocolVersion"`
			} `json:"params"`
			Result json.RawMessage `json:"result"`
		}
		if err := json.Unmarshal(lines.Bytes(), &message); err != nil {
			return fmt.Errorf("MCP message: %w", err)
		}
		var reply string
		switch message.Method {
		case "initialize":
			reply = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":%q,"capabilities":{"tools":{}},"serverInfo":{"name":"asker","version":"1"}}}`,
				message.ID, message.Params.Version)
		case "tools/list":
			reply = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"ask","description":"Asks","inputSchema":{"type":"object"}}]}}`, message.ID)
		case "tools/call":
			waiting = message.ID
			reply = `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"colour":{"type":"string"}}}}}`
		case "":
			answer, err := json.Marshal(string(message.Result))
			if err != nil {
				return fmt.Errorf("MCP message: %w", err)
			}
			reply = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%s}]}}`, waiting, answer)
		default:
			if message.ID == nil {
				continue
			}
			reply = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, message.ID)
		}
		if _, err := fmt.Fprintln(out, reply); err != nil {
			return fmt.Errorf("MCP message: %w", err)
		}
	}
	return lines.Err()
}

// AddAsker gives the CLI the MCP server whose tool mcp__asker__ask asks the person a question.
func (s *Stage) AddAsker() {
	self, err := os.Executable()
	s.Check(err)
	servers, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"asker": map[string]any{"command": self, "args": []string{wordAsker}}}})
	s.Check(err)
	file := filepath.Join(s.Dir, "mcp.json")
	s.Check(os.WriteFile(file, servers, 0o600))
	s.Args = append(s.Args, "--mcp-config", file)
}
