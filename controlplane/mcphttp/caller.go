package mcphttp

import (
	"context"
	"sync/atomic"

	"switchboard/auth"
)

// visit is what this package knows of a request and the tools may ask of it.
type visit struct {
	caller      auth.Caller
	unavailable atomic.Bool
}

type visitKey struct{}

func withVisit(ctx context.Context, v *visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// CallerFrom is who sent the request that a tool is called for.
func CallerFrom(ctx context.Context) (auth.Caller, bool) {
	v := visitOf(ctx)
	if v == nil {
		return auth.Caller{}, false
	}
	return v.caller, true
}

// MarkUnavailable makes the answer a 503 with Retry-After, if it has not begun: Postgres or NATS is away, and a
// tool, which can only say so in words, could not tell the client to try again.
func MarkUnavailable(ctx context.Context) {
	if v := visitOf(ctx); v != nil {
		v.unavailable.Store(true)
	}
}
