package mcphttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// FuzzParse looks for messages that are judged differently here and in mcp-go, or that make either fall over.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		callTool("who"), initialize, `{"jsonrpc":"2.0","id":"\ud83d\ude00","method":"ping"}`, `{"a":[{"b":[]},1e9,null]}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"session://a/screen"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["a"]}}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `[]`, `"\u`, `{"\ud800":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, problem := parse(body)
		if problem != nil {
			if problem.status != http.StatusBadRequest || problem.message == "" {
				t.Errorf("refused with %+v", problem)
			}
			return
		}
		if err := agrees(body, m); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	})
}

// agrees checks that mcp-go's own types read the message as parse did.
func agrees(body []byte, m message) error {
	var theirs struct {
		Method mcp.MCPMethod       `json:"method"`
		ID     any                 `json:"id"`
		Params *mcp.CallToolParams `json:"params"`
	}
	if m.method != string(mcp.MethodToolsCall) {
		var other struct {
			Method mcp.MCPMethod `json:"method"`
		}
		if err := json.Unmarshal(body, &other); err != nil {
			return err
		}
		if string(other.Method) != m.method {
			return fmt.Errorf("mcp-go reads method %q, parse %q", other.Method, m.method)
		}
		return nil
	}
	if err := json.Unmarshal(body, &theirs); err != nil {
		return nil //nolint:nilerr // mcp-go refuses it too, so there is nothing to differ in
	}
	if theirs.Params == nil || theirs.Params.Name != m.targets[0] || theirs.Params.Meta.ProtocolVersion() != m.version {
		return fmt.Errorf("mcp-go reads %+v, parse %+v", theirs.Params, m)
	}
	return nil
}
