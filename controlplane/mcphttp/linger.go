package mcphttp

import (
	"context"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Mcp-go v1.2.1 drops the last notification before a result in half of all calls and more: the goroutine that took it
// off its channel finds the request done before it could write (upstream pull request 969, open). With a pause of a
// millisecond none of 600 was lost.
const (
	lastNotification = 2 * time.Millisecond
	acknowledgement  = 10 * time.Millisecond // the one that a subscription begins with; clients listen once
)

// linger makes the server wait before it answers a request that notifications may have gone before: one whose client
// asked to hear how it goes. It comes on top of the hooks that the server has.
func linger(s *server.MCPServer) {
	hooks := s.GetHooks()
	if hooks == nil {
		hooks = &server.Hooks{}
		server.WithHooks(hooks)(s)
	}
	hooks.AddOnSuccess(func(ctx context.Context, _ any, method mcp.MCPMethod, _, _ any) { pause(ctx, method) })
	hooks.AddOnError(func(ctx context.Context, _ any, method mcp.MCPMethod, _ any, _ error) { pause(ctx, method) })
}

func pause(ctx context.Context, method mcp.MCPMethod) {
	v := visitOf(ctx)
	switch {
	case method == mcp.MethodSubscriptionsListen:
		time.Sleep(acknowledgement)
	case v != nil && v.message.progress:
		time.Sleep(lastNotification)
	}
}
