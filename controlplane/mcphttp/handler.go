package mcphttp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
)

// Config is what a Handler needs. PublicURL, MCP, Bearer, Needs and Log are required.
type Config struct {
	PublicURL string            // without a trailing slash; its host is the one that requests must name
	Hosts     []string          // further values of the Host header that are accepted, such as 127.0.0.1:8420
	Origins   []string          // web origins, beside our own, whose pages may call: https://chatgpt.com
	MCP       *server.MCPServer // the tools
	Scopes    auth.Scopes       // what a client without a token is told to ask for
	Log       *slog.Logger

	// Bearer says whose the token is: auth.ErrInvalidToken if nobody's; any other error is the store's.
	Bearer func(ctx context.Context, token auth.Secret, addr string) (auth.Caller, error)
	// Needs says which scope a tool needs; empty if none, or if there is no such tool.
	Needs func(tool string) auth.Scope

	PerUser Rate // the zero value sets no limit
	PerAddr Rate
}

// What one person may hold open, and how long an unused session lives.
const (
	maxSessions = 100 // legacy sessions; the least recently used one makes room for a new one
	maxOpen     = 512 // requests at the same time
	idleExpiry  = time.Hour
)

// Handler is the resource server at /mcp.
type Handler struct {
	Config
	doors    doors
	sessions *sessions
	users    *limiter
	addrs    *limiter
	next     *server.StreamableHTTPServer
}

// New makes a Handler. Close ends it.
func New(config Config) (*Handler, error) {
	doors, err := newDoors(config)
	if err != nil {
		return nil, fmt.Errorf("mcp endpoint: %w", err)
	}
	h := &Handler{
		Config:   config,
		doors:    doors,
		sessions: newSessions(),
		users:    newLimiter(config.PerUser),
		addrs:    newLimiter(config.PerAddr),
	}
	h.next = server.NewStreamableHTTPServer(config.MCP,
		server.WithSessionIdManagerResolver(h.sessions),
		server.WithSessionIdleTTL(idleExpiry),
		server.WithDisableLocalhostProtection(true), // it would refuse a proxy on this machine; doors does it better
		server.WithStreamableHTTPLogger(config.Log),
	)
	return h, nil
}

// Close ends all streams, so that the HTTP server's own shutdown does not wait for them.
func (h *Handler) Close(ctx context.Context) error { return h.next.Shutdown(ctx) }

// ServeHTTP answers a request, or passes it on to mcp-go. The order is that of cost: what needs no work first.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := newResponse(w)
	defer h.recover(answer, r)
	if !h.doors.admit(answer, r) {
		return
	}
	if delay := h.addrs.take(network(auth.RemoteAddr(r))); delay > 0 {
		tooMany(answer, delay)
		return
	}
	if r.ContentLength > maxBody {
		refuse(answer, tooLarge())
		return
	}
	token, caller, err := h.authenticate(r)
	if err != nil {
		h.unauthorized(answer, r, err)
		return
	}
	if delay := h.users.take(string(caller.User)); delay > 0 {
		tooMany(answer, delay)
		return
	}
	leave, ok := h.users.enter(string(caller.User))
	if !ok {
		tooMany(answer, time.Second)
		return
	}
	defer leave()
	h.serve(answer, r, caller, token)
}

// serve handles a request whose caller is known.
func (h *Handler) serve(answer *response, r *http.Request, caller auth.Caller, token auth.Secret) {
	v := &visit{caller: caller}
	answer.visit = v
	ctx, stop := h.watch(withVisit(r.Context(), v), answer, caller, r, token)
	r = r.WithContext(ctx)
	switch r.Method {
	case http.MethodPost:
		h.post(answer, r, caller)
	case http.MethodGet, http.MethodDelete:
		h.session(answer, r, caller)
	default:
		answer.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
		refuse(answer, &refusal{status: http.StatusMethodNotAllowed, code: mcp.INVALID_REQUEST, message: "use POST"})
	}
	if err := stop(); err != nil && !answer.begun() {
		h.unauthorized(answer, r, err)
	}
}

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
	modern := mcp.IsModernProtocol(m.version) || mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion))
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
	h.pass(answer, r, caller, m)
}

// pass hands a checked message to mcp-go, in the way its method needs.
func (h *Handler) pass(answer *response, r *http.Request, caller auth.Caller, m message) {
	needed := h.needed(m)
	switch {
	case m.method == string(mcp.MethodToolsList):
		held := newHeld()
		h.next.ServeHTTP(held, r)
		held.body = liftSecuritySchemes(held.body)
		held.release(answer)
	case needed != "" && !caller.Scopes.Has(needed) && !showsToolChallenges(caller):
		// The gate refuses it and writes the audit line; only the answer is ours.
		h.next.ServeHTTP(newHeld(), r)
		h.stepUp(answer, r, caller, m, needed)
	default:
		h.next.ServeHTTP(answer, r)
	}
}

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

// recover turns a panic into an answer and a log line.
func (h *Handler) recover(answer *response, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	h.Log.ErrorContext(r.Context(), "panic in mcp request", "panic", cause, "stack", string(debug.Stack()))
	if !answer.begun() {
		refuse(answer, &refusal{status: http.StatusOK, code: mcp.INTERNAL_ERROR, message: "internal error"})
	}
}
