// Package asker is a small MCP server for tests of the Claude Code CLI. Its one tool, ask, asks the person what its
// arguments say: they are the parameters of the elicitation. Without any it asks for a colour. The tool's result is what
// the server was told.
package asker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Argument is what a program is called with that is to serve.
const Argument = "asker"

// message is one of MCP's: a request, a notification or the answer to our question.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Version   string          `json:"protocolVersion"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
}

// Serve speaks MCP on in and out until in ends.
func Serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	waiting := json.RawMessage("null") // the id of the tool's call
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return fmt.Errorf("MCP message: %w", err)
		}
		if m.Method == "tools/call" {
			waiting = m.ID
		}
		reply := answer(m, waiting)
		if reply == nil {
			continue
		}
		text, err := json.Marshal(reply)
		if err != nil {
			return fmt.Errorf("MCP message: %w", err)
		}
		if _, err := fmt.Fprintln(out, string(text)); err != nil {
			return fmt.Errorf("MCP message: %w", err)
		}
	}
	return lines.Err()
}

// colour is what is asked when the call does not say.
const colour = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"colour":{"type":"string"}}}}`

type object map[string]any

// answer is what follows a message; nil: nothing.
func answer(m message, waiting json.RawMessage) object {
	switch m.Method {
	case "initialize":
		return result(m.ID, object{
			"protocolVersion": m.Params.Version, "capabilities": object{"tools": object{}},
			"serverInfo": object{"name": "asker", "version": "1"},
		})
	case "tools/list":
		tool := object{"name": "ask", "description": "Asks", "inputSchema": object{"type": "object"}}
		return result(m.ID, object{"tools": []object{tool}})
	case "tools/call":
		asks := m.Params.Arguments
		if len(asks) <= len("{}") {
			asks = json.RawMessage(colour)
		}
		return object{"jsonrpc": "2.0", "id": "question", "method": "elicitation/create", "params": asks}
	case "":
		return result(waiting, object{"content": []object{{"type": "text", "text": string(m.Result)}}})
	}
	if m.ID == nil {
		return nil
	}
	return object{"jsonrpc": "2.0", "id": m.ID, "error": object{"code": -32601, "message": "no such method"}}
}

func result(id json.RawMessage, result object) object {
	return object{"jsonrpc": "2.0", "id": id, "result": result}
}
