package mcphttp

import (
	"context"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// acknowledgement is how long subscriptions/listen goes on after its acknowledgement. Where there is nothing to
// subscribe to the result follows at once, and mcp-go v1.2.1 then loses the acknowledgement, which must come first, in
// one of a hundred calls: the goroutine that took it off its channel finds the request done before it could write
// (upstream pull request 969, open). A busy machine may let that goroutine wait for some time slices of other processes;
// clients listen once. Other notifications go by Notify, which does not lose them.
const acknowledgement = 50 * time.Millisecond

// linger makes the server wait before it ends a subscription. It comes on top of the hooks that it has.
func linger(s *server.MCPServer) {
	hooks := s.GetHooks()
	if hooks == nil {
		hooks = &server.Hooks{}
		server.WithHooks(hooks)(s)
	}
	hooks.AddAfterSubscriptionsListen(func(context.Context, any, *mcp.SubscriptionsListenRequest, *mcp.SubscriptionsListenResult) {
		time.Sleep(acknowledgement)
	})
}
