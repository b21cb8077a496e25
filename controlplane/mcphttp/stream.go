package mcphttp

import (
	"net/http"

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
	if !h.sessions.touch(id, caller) {
		refuse(answer, noSession())
		return
	}
	if r.Method == http.MethodGet && !accepts(r, "text/event-stream") {
		refuse(answer, &refusal{status: http.StatusNotAcceptable, code: mcp.INVALID_REQUEST,
			message: "the Accept header must list text/event-stream"})
		return
	}
	h.next.ServeHTTP(answer, r)
}
