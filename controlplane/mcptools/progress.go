package mcptools

import (
	"context"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// progressEvery is how often a client that asked for it hears that a wait goes on.
const progressEvery = 5 * time.Second

// report sends progress until stop is called, if the client gave a token for it. Stop waits for the last one.
func (c call) report(ctx context.Context, total time.Duration, doing string) (stop func()) {
	if c.meta == nil || c.meta.ProgressToken == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticks := time.NewTicker(progressEvery)
		defer ticks.Stop()
		for elapsed := time.Duration(0); elapsed < total; elapsed += progressEvery {
			c.sendProgress(ctx, elapsed, total, doing)
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (c call) sendProgress(ctx context.Context, elapsed, total time.Duration, doing string) {
	// A client that does not read its notifications misses them; its answer comes all the same.
	_ = server.ServerFromContext(ctx).SendNotificationToClient(ctx, string(mcp.MethodNotificationProgress), map[string]any{
		"progressToken": c.meta.ProgressToken,
		"progress":      elapsed.Seconds(),
		"total":         total.Seconds(),
		"message":       doing,
	})
}
