package mcphttp

import (
	"net/http"
	"strings"
	"testing"
)

func TestModern(t *testing.T) {
	e := start(t, nil)
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	modern := func(method, name string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", method)
			r.Header.Set("Mcp-Session-Id", "nobody's")
			if name != "" {
				r.Header.Set("Mcp-Name", name)
			}
		}
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{},` + meta + `}}`
	tests := []struct {
		name, verb, body string
		change           func(*http.Request)
		status           int
		say              string
	}{
		{"discover", "POST", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`, modern("server/discover", ""), 200, "2026-07-28"},
		{"call", "POST", call, modern("tools/call", "who"), 200, `"resultType":"complete"`},
		{"name in the header differs", "POST", call, modern("tools/call", "write"), 400, "-32020"},
		{"no name in the header", "POST", call, modern("tools/call", ""), 400, "-32020"},
		{"unknown method", "POST", `{"jsonrpc":"2.0","id":1,"method":"nope","params":{` + meta + `}}`, modern("nope", ""), 404, "-32601"},
		{"unknown version", "POST", strings.ReplaceAll(call, "2026-07-28", "2099-01-01"), func(r *http.Request) {
			modern("tools/call", "who")(r)
			r.Header.Set("Mcp-Protocol-Version", "2099-01-01")
		}, 400, "-32022"},
		{"GET", "GET", "", modern("", ""), 405, ""},
		{"DELETE", "DELETE", "", modern("", ""), 405, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := e.send(t, e.request(t, test.verb, test.body, test.change))
			if got.status != test.status || !strings.Contains(got.body, test.say) {
				t.Errorf("got %d %s\nwant %d %q", got.status, got.body, test.status, test.say)
			}
			if got.header.Get("Mcp-Session-Id") != "" {
				t.Error("a session id in the era without sessions")
			}
		})
	}
}
