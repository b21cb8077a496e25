package mcphttp

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/server"
)

// Whoever listens hears first what was subscribed to, even if that is nothing and the stream ends at once.
func TestListenIsAcknowledged(t *testing.T) {
	e := start(t, func(c *Config) {
		c.MCP = server.NewMCPServer("test", "1", server.WithToolCapabilities(false)) // nothing to listen to
	})
	const listen = `{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for i := range 75 {
				got := e.post(t, listen, func(r *http.Request) {
					r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
					r.Header.Set("Mcp-Method", "subscriptions/listen")
				})
				ack := strings.Index(got.body, "notifications/subscriptions/acknowledged")
				result := strings.Index(got.body, `"result"`)
				if got.status != http.StatusOK || ack < 0 || result < ack {
					t.Errorf("call %d: got %d %s, want an acknowledgement and then a result", i, got.status, got.body)
					return
				}
			}
		})
	}
	calls.Wait()
}

// All of a call's notifications come, and before its result.
func TestLastNotification(t *testing.T) {
	e := start(t, nil)
	for i := range 500 {
		got := e.askTool(t, "notifies", `{}`)
		last, result := strings.Index(got.body, `"progress":2`), strings.Index(got.body, `"result"`)
		if strings.Count(got.body, "notifications/progress") != 3 || last < 0 || result < last {
			t.Fatalf("call %d: %s", i, got.body)
		}
	}
}
