package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// TestAbandonedCalls breaks the connection while a message is on its way and asks again with the same key, as ChatGPT
// does with a call that took it too long. It never initializes. The agent must be told once, and the second call must
// hear what became of the first.
func TestAbandonedCalls(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})

	moments := []struct {
		name  string
		await func(t *testing.T, sent <-chan struct{}, text string)
	}{
		{"as soon as it is sent", func(t *testing.T, sent <-chan struct{}, _ string) {
			select {
			case <-sent:
			case <-t.Context().Done():
			}
		}},
		{"while the agent works", func(t *testing.T, _ <-chan struct{}, text string) {
			awaitLogs(t, w.admin, args{"session_id": s.ID}, text)
		}},
	}
	for _, modern := range []bool{false, true} {
		for i, moment := range moments {
			t.Run(fmt.Sprintf("modern=%t/%s", modern, moment.name), func(t *testing.T) {
				text := fmt.Sprintf("call %d of modern %t", i, modern)
				call := toolCall{
					tool: "send_message", modern: modern,
					arguments: args{
						"session_id": s.ID, "message": "fake:slow 2 ;; text " + text,
						"idempotency_key": t.Name(), "wait_seconds": 45,
					},
				}
				first, hangUp := context.WithCancel(t.Context())
				sent, ended := call.start(first, w)
				moment.await(t, sent, text)
				hangUp()
				<-ended

				answer, err := call.post(t.Context(), w)
				must(t, err)
				if !strings.Contains(answer, `"status":"accepted"`) {
					t.Fatalf("the second call answered %s, want the message accepted", answer)
				}
				awaitState(t, w.admin, s.ID, "idle")
				wantOnce(t, w.admin, s.ID, "user: fake:slow 2 ;; text "+text)
			})
		}
	}
}

// toolCall is a single POST, with no handshake before it.
type toolCall struct {
	tool      string
	arguments args
	modern    bool // of 2026-07-28, which names the version in each request
}

// start sends the call. Sent closes when its last byte is written, ended when there is an answer or the context ends.
func (c toolCall) start(ctx context.Context, w *world) (sent, ended <-chan struct{}) {
	written, done := make(chan struct{}), make(chan struct{})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(written) },
	})
	go func() {
		defer close(done)
		_, _ = c.post(ctx, w) // nobody is there to read it
	}()
	return written, done
}

// post is the call and its answer, whatever that is.
func (c toolCall) post(ctx context.Context, w *world) (string, error) {
	params := args{"name": c.tool, "arguments": c.arguments}
	header := http.Header{}
	if c.modern {
		const version = "2026-07-28"
		params["_meta"] = args{
			"io.modelcontextprotocol/protocolVersion":    version,
			"io.modelcontextprotocol/clientCapabilities": args{},
		}
		header = http.Header{"Mcp-Protocol-Version": {version}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {c.tool}}
	}
	body, err := json.Marshal(args{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
	if err != nil {
		return "", err
	}
	resp, err := harness.Post(ctx, w.plane.MCP(), w.admin.tokens.Access, body, header)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}
