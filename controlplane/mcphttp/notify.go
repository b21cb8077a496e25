package mcphttp

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// Notify sends a notification to the client on the stream that answers the request of ctx, and so before its answer.
// A client that takes no stream gets none. Mcp-go v1.2.1 would hand it to whichever stream of the client's session is
// the first to take it: of several calls at once, as often as not, another one's or one that is just over.
func Notify(ctx context.Context, method mcp.MCPMethod, params any) error {
	v := visitOf(ctx)
	if v == nil || v.listens == nil {
		return nil
	}
	text, err := json.Marshal(struct {
		JSONRPC string        `json:"jsonrpc"`
		Method  mcp.MCPMethod `json:"method"`
		Params  any           `json:"params"`
	}{mcp.JSONRPC_VERSION, method, params})
	if err != nil {
		return err
	}
	return v.listens.notify(text)
}

// notify writes an event of ours between mcp-go's, and makes the answer a stream if it is not one yet.
func (a *response) notify(message []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stream {
		if a.wrote {
			return nil
		}
		a.beginStream()
	}
	if err := a.sendMessage(message, notifying); err != nil {
		return err
	}
	a.flush()
	return nil
}

// eventOf is a message as an event.
func eventOf(message []byte) []byte {
	return slices.Concat([]byte(eventPrefix), message, []byte("\n\n"))
}
