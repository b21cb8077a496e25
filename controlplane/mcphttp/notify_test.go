package mcphttp

import (
	"net/http"
	"strings"
	"testing"
)

// What a tool tells comes on its own call's stream, with the headers of every answer, and the result behind it.
func TestNotify(t *testing.T) {
	e := start(t, nil)
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"notifies"}}`
	got := e.post(t, call, func(r *http.Request) { r.Header.Set("Origin", "https://chatgpt.com") })
	want := eventPrefix + `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":0}}` + "\n\n" +
		eventPrefix + `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}` + "\n\n" +
		eventPrefix + `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":2}}` + "\n\n" +
		eventPrefix + `{"jsonrpc":"2.0","id":1,"result":`
	if got.status != http.StatusOK || !strings.HasPrefix(got.body, want) || !strings.HasSuffix(got.body, "}\n\n") || !strings.Contains(got.body, "notified") {
		t.Errorf("got %d %q\nwant %q", got.status, got.body, want)
	}
	for name, value := range map[string]string{
		"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store",
		"Access-Control-Allow-Origin": "https://chatgpt.com",
	} {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
		}
	}
}

// A client that takes no stream gets its answer as a body, and nothing else.
func TestNotifyWithoutStream(t *testing.T) {
	e := start(t, nil)
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"notifies","_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	got := e.post(t, call, func(r *http.Request) {
		r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
		r.Header.Set("Mcp-Method", "tools/call")
		r.Header.Set("Mcp-Name", "notifies")
		r.Header.Set("Accept", "application/json")
	})
	if got.status != http.StatusOK || strings.Contains(got.body, "progress") || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		t.Errorf("got %d %q %s", got.status, got.header.Get("Content-Type"), got.body)
	}
}
