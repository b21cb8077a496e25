// Package asker is a small MCP server for tests of the Claude Code CLI. Its one tool, ask, asks the person what its
// arguments say: they are the parameters of the elicitation, or, under "both", those of several at once. Without any it
// asks for a colour. The tool's result is what the server was told, in the order in which it was.
package asker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
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
	var a asker
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return fmt.Errorf("MCP message: %w", err)
		}
		for _, reply := range a.answer(m) {
			text, err := json.Marshal(reply)
			if err != nil {
				return fmt.Errorf("MCP message: %w", err)
			}
			if _, err := fmt.Fprintln(out, string(text)); err != nil {
				return fmt.Errorf("MCP message: %w", err)
			}
		}
	}
	return lines.Err()
}

// asker is the tool's call that it is about.
type asker struct {
	call json.RawMessage // its id
	open int             // questions without an answer
	told []string
}

// colour is what is asked when the call does not say.
const colour = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"colour":{"type":"string"}}}}`

type object map[string]any

// answer is what follows a message.
func (a *asker) answer(m message) []object {
	switch m.Method {
	case "initialize":
		return []object{result(m.ID, object{
			"protocolVersion": m.Params.Version, "capabilities": object{"tools": object{}},
			"serverInfo": object{"name": "asker", "version": "1"},
		})}
	case "tools/list":
		tool := object{"name": "ask", "description": "Asks", "inputSchema": object{"type": "object"}}
		return []object{result(m.ID, object{"tools": []object{tool}})}
	case "tools/call":
		return a.ask(m)
	case "":
		a.told = append(a.told, string(m.Result))
		if a.open--; a.open > 0 {
			return nil
		}
		return []object{result(a.call, object{"content": []object{{"type": "text", "text": strings.Join(a.told, "\n")}}})}
	}
	if m.ID == nil {
		return nil
	}
	return []object{{"jsonrpc": "2.0", "id": m.ID, "error": object{"code": -32601, "message": "no such method"}}}
}

// ask begins what a call of the tool wants asked.
func (a *asker) ask(m message) []object {
	var several struct {
		Both []json.RawMessage `json:"both"`
	}
	_ = json.Unmarshal(m.Params.Arguments, &several) // what is none has none
	asks := several.Both
	if len(asks) == 0 {
		asks = []json.RawMessage{m.Params.Arguments}
	}
	a.call, a.open, a.told = m.ID, len(asks), nil
	var questions []object
	for i, params := range asks {
		if len(params) <= len("{}") {
			params = json.RawMessage(colour)
		}
		questions = append(questions, object{"jsonrpc": "2.0", "id": fmt.Sprint("question", i), "method": "elicitation/create", "params": params})
	}
	return questions
}

func result(id json.RawMessage, result object) object {
	return object{"jsonrpc": "2.0", "id": id, "result": result}
}
