package mcphttp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// ask sends a modern request that declares some of a client's capabilities.
func (e *endpoint) ask(t *testing.T, method, name, params, capabilities string) reply {
	t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":"a","method":%q,"params":{%s"_meta":{"progressToken":"p",`+
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":%s}}}`, method, params, capabilities)
	return e.post(t, body, func(r *http.Request) {
		r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
		r.Header.Set("Mcp-Method", method)
		if name != "" {
			r.Header.Set("Mcp-Name", name)
		}
	})
}

func (e *endpoint) askTool(t *testing.T, tool, capabilities string) reply {
	t.Helper()
	return e.ask(t, "tools/call", tool, `"name":"`+tool+`","arguments":{},`, capabilities)
}

func TestUndeclaredCapability(t *testing.T) {
	e := start(t, nil)
	tests := []struct {
		name   string
		got    reply
		status int
		say    string
	}{
		{"a handler says so", e.askTool(t, "needs", `{}`), 400, `"code":-32021,"message":"this needs a capability that the client did not declare","data":{"requiredCapabilities":{"sampling":{}}}`},
		{"a handler asks all the same", e.askTool(t, "asks", `{"sampling":{}}`), 400, `"data":{"requiredCapabilities":{"roots":{}}}`},
		{"declared", e.askTool(t, "asks", `{"roots":{}}`), 200, `"inputRequests":{"where"`},
		{"declared as null", e.askTool(t, "asks", `{"roots":null}`), 400, "-32021"},
		{"in the era without that code's status", e.post(t, callTool("needs"), nil), 200, "-32021"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.got.status != test.status || !strings.Contains(test.got.body, test.say) {
				t.Errorf("got %d %s\nwant %d %s", test.got.status, test.got.body, test.status, test.say)
			}
			if test.status == 400 && !strings.Contains(test.got.body, `"id":"a"`) {
				t.Errorf("the error has not the request's id: %s", test.got.body)
			}
		})
	}
}

func TestNoResource(t *testing.T) {
	e := start(t, nil)
	for name, uri := range map[string]string{"no template has it": "other://x/y/z", "its template has it not": "test://x"} {
		t.Run(name, func(t *testing.T) {
			data := `"data":{"uri":"` + uri + `"}`
			got := e.ask(t, "resources/read", uri, `"uri":"`+uri+`",`, `{}`)
			if got.status != 400 || !strings.Contains(got.body, `"code":-32602`) || !strings.Contains(got.body, data) {
				t.Errorf("2026-07-28: %d %s", got.status, got.body)
			}
			got = e.post(t, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"`+uri+`"}}`, nil)
			if got.status != 200 || !strings.Contains(got.body, `"code":-32002`) || !strings.Contains(got.body, data) {
				t.Errorf("2025-11-25: %d %s", got.status, got.body)
			}
		})
	}
}

// A server has no capabilities of a client, whatever it uses.
func TestServerCapabilities(t *testing.T) {
	e := start(t, nil)
	for name, got := range map[string]reply{
		"initialize": e.post(t, initialize, nil), "server/discover": e.ask(t, "server/discover", "", "", "{}"),
	} {
		if got.status != 200 || !strings.Contains(got.body, `"tools":{`) || strings.Contains(got.body, "sampling") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// What came with 2026-07-28 cannot be asked for without what its requests carry.
func TestModernMethodWithoutMeta(t *testing.T) {
	e := start(t, nil)
	for _, method := range []string{"server/discover", "subscriptions/listen"} {
		got := e.post(t, `{"jsonrpc":"2.0","id":"d","method":"`+method+`"}`, nil)
		if got.status != 400 || !strings.Contains(got.body, `"code":-32602`) || !strings.Contains(got.body, `"id":"d"`) ||
			!strings.Contains(got.body, "io.modelcontextprotocol/protocolVersion") {
			t.Errorf("%s: %d %s", method, got.status, got.body)
		}
	}
}

// Mcp-go's own errors of the transport are plain text.
func TestErrorsAreJSONRPC(t *testing.T) {
	e := start(t, nil)
	id := e.open(t, "alice-token")
	for name, got := range map[string]reply{
		"version":           e.post(t, callTool("who"), header("Mcp-Protocol-Version", "1999-01-01")),
		"answer to nothing": e.post(t, `{"jsonrpc":"2.0","id":1,"result":{"a":1}}`, inSession("alice-token", id)),
		"GET":               e.send(t, e.request(t, "GET", "", header("Mcp-Protocol-Version", "2026-07-28"))),
	} {
		if got.status < 400 || got.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(got.body, `{"jsonrpc":"2.0","id":`) {
			t.Errorf("%s: %d %s %s", name, got.status, got.header.Get("Content-Type"), got.body)
		}
	}
}
