package mcptools

import (
	"context"
	"slices"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// dial connects mcp-go's client as the token's person.
func (w *world) dial(token string) *client.Client {
	return w.dialEra(token, mcp.LATEST_PROTOCOL_VERSION)
}

// dialEra does so in a version of the protocol. In an old one it also opens the stream of notifications.
func (w *world) dialEra(token, version string) *client.Client {
	w.t.Helper()
	options := []transport.StreamableHTTPCOption{
		transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + token}),
	}
	if !mcp.IsModernProtocol(version) {
		options = append(options, transport.WithContinuousListening()) //nolint:staticcheck // how old clients listen
	}
	c, err := client.NewStreamableHttpClient(w.url+"/mcp", options...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() }) // its session may have ended
	if err := c.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	_, err = c.Initialize(w.t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: version, ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestClientListsTools(t *testing.T) {
	w := newWorld(t)
	listed, err := w.dial("alice").ListTools(t.Context(), mcp.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, tool := range listed.Tools {
		got = append(got, tool.Name)
	}
	for _, tool := range Tools() {
		want = append(want, tool.Name)
	}
	slices.Sort(want) // mcp-go lists by name
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

// A client that goes away ends its wait, and not what it had asked for.
func TestClientGoesAway(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	c := w.dial("alice")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{ // it is cancelled
			Name: "send_message", Arguments: map[string]any{"session_id": handle, "message": "hang", "wait_seconds": 45},
		}})
	}()
	// The session works as soon as the message is typed.
	for !slices.Contains(w.host.typed(), "hang") {
		w.must("wait_for_session", args{"session_id": handle, "until": "change", "timeout_seconds": 1})
	}
	cancel()
	<-done
	status := w.must("get_session_status", args{"session_id": handle})
	if textAt(status, "session", "state") != "working" {
		t.Errorf("the session is %v", at(status, "session", "state"))
	}
}
