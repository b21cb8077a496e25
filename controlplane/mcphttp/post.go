package mcphttp

import (
	"bytes"
	"encoding/json"
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
	if id != "" && !h.enter(answer, r, caller, id) {
		return
	}
	// Mcp-go finds the request to cancel by session and request id. Without a session, one person's request 1
	// is everybody's: then only closing the connection cancels.
	if m.method == string(mcp.MethodNotificationCancelled) && id == "" {
		answer.WriteHeader(http.StatusAccepted)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if m.method == "" {
		h.answered(answer, r, caller, m, body)
		return
	}
	if m.method == string(mcp.MethodInitialize) && !modern {
		if len(body) > maxInitialize {
			refuse(answer, malformed(mcp.INVALID_PARAMS, m.id, "initialize is over 64 KiB"))
			return
		}
		opening, err := h.openSession(r.Context(), caller, body)
		if err != nil {
			h.refuseSession(answer, r, err)
			return
		}
		answer.visit.opening = opening
		done, _, surplus := h.adopted.add(opening, principalOf(caller))
		defer close(done)
		h.letGo(surplus, caller)
	}
	h.pass(answer, r, caller, m, modern)
}

// maxInitialize is how long the message may be that is kept as long as its session.
const maxInitialize = 64 << 10

// enter finds the session that a request names, and makes it known to mcp-go.
func (h *Handler) enter(answer *response, r *http.Request, caller auth.Caller, id string) bool {
	s, err := h.findSession(r.Context(), id, caller)
	if err != nil {
		h.refuseSession(answer, r, err)
		return false
	}
	answer.visit.session, answer.visit.primes = id, primes(s.Initialize)
	if r.Method != http.MethodDelete {
		h.adopt(r, caller, s)
	}
	return true
}

// primes reports whether a client takes an event without data for what it is: as of 2025-11-25. Those before take the
// data of every event for a message.
func primes(initialize json.RawMessage) bool {
	var began struct {
		Params struct {
			Version string `json:"protocolVersion"`
		} `json:"params"`
	}
	return json.Unmarshal(initialize, &began) == nil && began.Params.Version >= "2025-11-25"
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
		unheard := &visit{caller: caller, message: m, session: answer.visit.session}
		h.next.ServeHTTP(newHeld(), r.WithContext(withVisit(r.Context(), unheard)))
		h.stepUp(answer, r, caller, m, lacking)
	case h.Methods[m.method] != nil:
		h.own(answer, r, caller, m)
	case m.id == nil || answer.visit.opening != "" || !accepts(r, eventStream):
		h.next.ServeHTTP(answer, r)
	default:
		j := h.journal(r, answer.visit)
		answer.mayStream(j)
		h.converse(answer, r, caller, j)
	}
}

// journal is one for the answer to a request in a session; nil where there is none.
func (h *Handler) journal(r *http.Request, v *visit) *journal {
	if v.session == "" {
		return nil
	}
	return newJournal(r.Context(), h.Sessions, h.Log, v, v.message.id)
}

// needsModern reports whether a method came with 2026-07-28, and so cannot be called without what its requests carry.
func needsModern(m message) bool {
	method := mcp.MCPMethod(m.method)
	return method == mcp.MethodServerDiscover || method == mcp.MethodSubscriptionsListen
}
