package mcphttp

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// Method answers a method that mcp-go v1.2.1 does not know and has no place for: a result, or what is wrong.
type Method = func(ctx context.Context, caller auth.Caller, params json.RawMessage) (any, *mcp.JSONRPCErrorDetails)

// own answers a method of our own. Mcp-go judges the request first, by its headers, version and session, and comes to
// the end that it knows no such method; whatever else it says stands.
func (h *Handler) own(answer *response, r *http.Request, caller auth.Caller, m message) {
	judged := newHeld()
	h.next.ServeHTTP(judged, r)
	if !isUnknownMethod(judged.body) {
		judged.release(answer)
		return
	}
	result, problem := h.Methods[m.method](r.Context(), caller, m.params)
	if problem != nil {
		refuse(answer, &refusal{status: http.StatusOK, code: problem.Code, id: m.id, message: problem.Message, data: problem.Data})
		return
	}
	body, err := json.Marshal(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
	}{mcp.JSONRPC_VERSION, m.id, result})
	if err != nil {
		panic(err) // a result of ours
	}
	writeJSON(answer, http.StatusOK, append(body, '\n'))
}

func isUnknownMethod(body []byte) bool {
	var answer struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	return json.Unmarshal(body, &answer) == nil && answer.Error.Code == mcp.METHOD_NOT_FOUND
}
