package mcphttp

import (
	"context"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// visit is what this package knows of a request and the handlers may ask or say of it.
type visit struct {
	caller  auth.Caller
	message message   // the zero value until it is read
	listens *response // where the client takes notifications; nil: nowhere
	session string    // the caller's, if the request names one
	primes  bool      // the session's client knows events without data, as of 2025-11-25
	opening string    // the session that this request begins

	capabilities map[string]any // of the server, beside those that mcp-go knows

	unavailable atomic.Bool
	missing     atomic.Pointer[mcp.ClientCapabilities]
	noResource  atomic.Bool
	failure     atomic.Pointer[refusal]
}

type visitKey struct{}

func withVisit(ctx context.Context, v *visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// CallerFrom is who sent the request that a handler is called for.
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

// MarkMissing makes the answer the error -32021, whatever the handler returns: it cannot serve the request, since the
// client did not declare these capabilities. Mcp-go turns every error of a handler into -32603.
func MarkMissing(ctx context.Context, needed mcp.ClientCapabilities) {
	if v := visitOf(ctx); v != nil {
		v.missing.Store(&needed)
	}
}

// MarkNoResource makes the answer the protocol's error for a resource that does not exist, whatever the handler
// returns. A handler of a resource template uses it for somebody else's resource too.
func MarkNoResource(ctx context.Context) {
	if v := visitOf(ctx); v != nil {
		v.noResource.Store(true)
	}
}

// MarkFailed makes the answer a JSON-RPC error with this code, whatever the handler returns: mcp-go's hooks can return
// no error, and its handlers none but -32603.
func MarkFailed(ctx context.Context, code int, message string) {
	if v := visitOf(ctx); v != nil {
		v.failure.Store(&refusal{code: code, message: message})
	}
}
