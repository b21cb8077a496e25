package mcphttp

import (
	"bytes"
	"io"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// post passes one JSON-RPC message on.
func (h *Handler) post(answer *response, r *http.Request, caller auth.Caller) {
	body, problem := readBody(answer, r)
	if problem != nil {
		refuse(answer, problem)
		return
	}
	m, problem := parse(body)
	if problem != nil {
		refuse(answer, problem)
		return
	}
	answer.visit.message = m
	modern := m.modern() || mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion))
	if modern {
		r.Header.Del(mcp.HeaderSessionID) // has no meaning in this era
	}
	if !modern && !acceptsBoth(r) {
		refuse(answer, &refusal{status: http.StatusNotAcceptable, code: mcp.INVALID_REQUEST, id: m.id,
			message: "the Accept header must list application/json and text/event-stream"})
		return
	}
	id := r.Header.Get(mcp.HeaderSessionID)
	if id != "" && !h.sessions.touch(id, caller) {
		refuse(answer, noSession())
		return
	}
	// Mcp-go finds the request to cancel by session and request id. Without a session, one person's request 1
	// is everybody's: then only closing the connection cancels.
	if m.method == string(mcp.MethodNotificationCancelled) && id == "" {
		answer.WriteHeader(http.StatusAccepted)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if m.method == string(mcp.MethodInitialize) {
		h.makeRoom(r, caller)
	}
	h.pass(answer, r, caller, m, modern)
}

// pass hands a checked message to mcp-go, in the way its method needs.
func (h *Handler) pass(answer *response, r *http.Request, caller auth.Caller, m message, modern bool) {
	lacking := h.lacking(m, caller)
	switch {
	case !modern && needsModern(m):
		refuse(answer, malformed(mcp.INVALID_PARAMS, m.id,
			"params._meta must say "+mcp.MetaKeyProtocolVersion+" and "+mcp.MetaKeyClientCapabilities))
	case lacking != nil && m.method == string(mcp.MethodSubscriptionsListen):
		h.stepUp(answer, r, caller, m, lacking) // it would last, and the audit log does not know it
	case lacking != nil && !showsToolChallenges(caller, m):
		// The gate refuses it and writes the audit line; only the answer is ours, whatever it says of the visit.
		h.next.ServeHTTP(newHeld(), r.WithContext(withVisit(r.Context(), &visit{caller: caller, message: m})))
		h.stepUp(answer, r, caller, m, lacking)
	case h.Methods[m.method] != nil:
		h.own(answer, r, caller, m)
	default:
		if accepts(r, eventStream) {
			answer.listen()
		}
		h.next.ServeHTTP(answer, r)
	}
}

// needsModern reports whether a method came with 2026-07-28, and so cannot be called without what its requests carry.
func needsModern(m message) bool {
	method := mcp.MCPMethod(m.method)
	return method == mcp.MethodServerDiscover || method == mcp.MethodSubscriptionsListen
}
