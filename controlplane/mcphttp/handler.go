package mcphttp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
	"switchboard/controlplane/mcpsession"
)

// Config is what a Handler needs. PublicURL, MCP, Bearer, Watch, Sessions, Needs and Log are required. MCP gets a hook,
// and so serves
// one Handler only.
type Config struct {
	PublicURL string            // without a trailing slash; its host is the one that requests must name
	Origins   []string          // web origins, beside our own, whose pages may call: https://chatgpt.com
	MCP       *server.MCPServer // the tools
	Scopes    auth.Scopes       // what a client without a token is told to ask for
	Log       *slog.Logger

	// Bearer says whose the token is: auth.ErrInvalidToken if nobody's; any other error is the store's.
	Bearer func(ctx context.Context, token auth.Secret, addr string) (auth.Caller, error)
	// Watch calls wake when Bearer may say something else of a caller than before. Wake does not block, and is not
	// called after stop.
	Watch func(caller auth.Caller, wake func()) (stop func())
	// Sessions are those of clients that speak a version before 2026-07-28.
	Sessions mcpsession.Store
	// Needs is the scope that a method needs for what it names: a tool, a prompt, a resource's URI. Empty: any token
	// will do.
	Needs func(method, target string) auth.Scope
	// Stream, if not nil, sends what a legacy session has subscribed to while its stream of notifications is open.
	// It returns when ctx ends.
	Stream func(ctx context.Context, session string)

	// Methods are those of our own, by their names, and Capabilities what they add to the server's.
	Methods      map[string]Method
	Capabilities map[string]any

	PerUser auth.Rate // the zero value sets no limit
	PerAddr auth.Rate
}

// Handler is the resource server at /mcp.
type Handler struct {
	Config
	doors    doors
	adopted  adopted
	users    auth.Limiter
	addrs    auth.Limiter
	requests auth.Seats     // not answered yet
	calls    sync.WaitGroup // that may outlive their connections
	ending   context.Context
	end      context.CancelFunc // of ending, by Close
	asking   sync.Map           // streams on which a question of ours is open
	next     *server.StreamableHTTPServer
}

// New makes a Handler. Close ends it.
func New(config Config) (*Handler, error) {
	doors, err := newDoors(config)
	if err != nil {
		return nil, fmt.Errorf("mcp endpoint: %w", err)
	}
	h := &Handler{Config: config, doors: doors}
	h.ending, h.end = context.WithCancel(context.Background())
	linger(config.MCP)
	h.next = server.NewStreamableHTTPServer(config.MCP,
		server.WithSessionIdManagerResolver(&h.adopted),
		server.WithSessionIdleTTL(idleExpiry),
		server.WithDisableLocalhostProtection(true), // it would refuse a proxy on this machine; doors does it better
		server.WithStreamableHTTPLogger(config.Log),
	)
	return h, nil
}

// Close ends all streams and calls, so that the HTTP server's own shutdown does not wait for them.
func (h *Handler) Close(ctx context.Context) error {
	h.end()
	err := h.next.Shutdown(ctx)
	h.calls.Wait()
	return err
}

// ServeHTTP answers a request, or passes it on to mcp-go. The order is that of cost: what needs no work first.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := newResponse(w)
	defer answer.finish()
	defer h.recover(answer, r)
	if !h.doors.admit(answer, r) {
		return
	}
	if delay := h.addrs.Take(auth.Network(auth.RemoteAddr(r)), h.PerAddr, time.Now()); delay > 0 {
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
	if delay := h.users.Take(string(caller.User), h.PerUser, time.Now()); delay > 0 {
		tooMany(answer, delay)
		return
	}
	leave, ok := h.requests.Take(caller.User, maxOpen)
	if !ok {
		tooMany(answer, time.Second)
		return
	}
	if attended(r) {
		h.attend(answer, r, caller, token, leave)
		return
	}
	defer leave()
	h.serve(answer, r, caller, token)
}

// serve handles a request whose caller is known.
func (h *Handler) serve(answer *response, r *http.Request, caller auth.Caller, token auth.Secret) {
	v := &visit{caller: caller, capabilities: h.Capabilities}
	answer.visit = v
	ctx, stop := h.watch(withVisit(r.Context(), v), answer, caller, r, token)
	defer func() {
		if err := stop(); err != nil && !answer.begun() {
			h.unauthorized(answer, r, err)
		}
	}()
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
}

// recover turns a panic into an answer and a log line.
func (h *Handler) recover(answer *response, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	h.Log.ErrorContext(r.Context(), "panic in mcp request", "panic", cause, "stack", string(debug.Stack()))
	if !answer.begun() {
		refuse(answer, &refusal{status: http.StatusOK, code: mcp.INTERNAL_ERROR, message: "internal error"})
	}
}
