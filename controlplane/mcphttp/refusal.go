package mcphttp

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// refusal is an answer of ours in JSON-RPC's form.
type refusal struct {
	status  int
	code    int
	id      json.RawMessage // of the request, if that could be read
	message string
	data    any
}

// body is the JSON-RPC error.
func (p *refusal) body() []byte { return append(p.line(), '\n') }

// line is the same as an event carries it.
func (p *refusal) line() []byte {
	id := p.id
	if id == nil {
		id = json.RawMessage("null")
	}
	body, err := json.Marshal(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   rpcError        `json:"error"`
	}{mcp.JSONRPC_VERSION, id, rpcError{p.code, p.message, p.data}})
	if err != nil {
		panic(err) // an id that was valid JSON, and data of ours
	}
	return body
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func refuse(w http.ResponseWriter, problem *refusal) {
	writeJSON(w, problem.status, problem.body())
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone away reads no answer
}

func noSession() *refusal {
	return &refusal{status: http.StatusNotFound, code: mcp.INVALID_REQUEST, message: "no such session: initialize again"}
}

// tooMany asks the client to wait, in whole seconds.
func tooMany(w http.ResponseWriter, delay time.Duration) {
	retryAfter(w, delay)
	refuse(w, &refusal{status: http.StatusTooManyRequests, code: mcp.INVALID_REQUEST, message: "too many requests"})
}

func retryAfter(w interface{ Header() http.Header }, delay time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(delay.Seconds())))))
}
