package mcphttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// session serves a legacy session's stream of notifications, or its end.
func (h *Handler) session(answer *response, r *http.Request, caller auth.Caller) {
	if mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		h.next.ServeHTTP(answer, r) // 405
		return
	}
	id := r.Header.Get(mcp.HeaderSessionID)
	if id == "" {
		refuse(answer, &refusal{status: http.StatusBadRequest, code: mcp.INVALID_REQUEST,
			message: "the Mcp-Session-Id header is missing"})
		return
	}
	if !h.enter(answer, r, caller, id) {
		return
	}
	if r.Method == http.MethodGet && !accepts(r, "text/event-stream") {
		refuse(answer, &refusal{status: http.StatusNotAcceptable, code: mcp.INVALID_REQUEST,
			message: "the Accept header must list text/event-stream"})
		return
	}
	if r.Method == http.MethodDelete {
		if err := h.Sessions.DeleteMCPSession(r.Context(), id); err != nil {
			h.refuseSession(answer, r, err)
			return
		}
		h.next.ServeHTTP(answer, r)
		return
	}
	if r.Header.Get(mcp.HeaderLastEventID) != "" {
		h.resume(answer, r, caller, id)
		return
	}
	h.listen(answer, r, caller, h.journal(r, answer.visit))
}

// listen serves a session's stream of notifications.
func (h *Handler) listen(answer *response, r *http.Request, caller auth.Caller, j *journal) {
	defer h.meanwhile(r.Context(), func(ctx context.Context) { h.stayKnown(ctx, r, caller, j.stream.Session) })()
	if h.Stream != nil {
		defer h.meanwhile(r.Context(), func(ctx context.Context) { h.Stream(ctx, j.stream.Session) })()
	}
	answer.mayStream(j)
	h.converse(answer, r, caller, j)
}

// stayKnown lets mcp-go hear of a session whose client only listens, which it would forget as idle.
func (h *Handler) stayKnown(ctx context.Context, r *http.Request, caller auth.Caller, session string) {
	ticks := time.NewTicker(idleExpiry / 3)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			h.deliver(newHeld(), r, caller, session, []byte(`{"jsonrpc":"2.0","id":"known","method":"ping"}`))
		}
	}
}

// meanwhile runs something until stop is called.
func (h *Handler) meanwhile(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}
