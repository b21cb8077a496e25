package mcphttp

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"switchboard/auth"
)

// writeTimeout is how long a client may leave a write unread before its connection is cut.
const writeTimeout = 30 * time.Second

// response is the writer that mcp-go gets. It sets the headers that hold for every answer, and lets comments keep
// an event stream alive between mcp-go's events.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	visit   *visit // nil until the caller is known

	mu     sync.Mutex // guards the fields below, and the writer against the keep-alive comments
	wrote  bool
	stream bool
}

func newResponse(w http.ResponseWriter) *response {
	w.Header().Set("Cache-Control", "no-store")
	return &response{ResponseWriter: w, control: http.NewResponseController(w)}
}

// WriteHeader sends the header.
func (a *response) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(status)
}

func (a *response) writeHeader(status int) {
	header := a.Header()
	header.Set("Cache-Control", "no-store") // mcp-go says no-cache for streams
	if strings.HasPrefix(header.Get("Content-Type"), "text/event-stream") {
		header.Set("X-Accel-Buffering", "no") // else nginx keeps events to itself
		a.stream = true
	}
	if status == http.StatusOK && !a.stream && a.visit != nil && a.visit.unavailable.Load() {
		status = http.StatusServiceUnavailable
		retryAfter(a.ResponseWriter, auth.RetryAfter)
	}
	a.wrote = true
	a.ResponseWriter.WriteHeader(status)
}

// Write sends one event or one body.
func (a *response) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.wrote {
		a.writeHeader(http.StatusOK)
	}
	a.extend()
	return a.ResponseWriter.Write(p)
}

// Flush makes mcp-go see that answers can be streamed.
func (a *response) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wrote = true
	a.extend()
	_ = a.control.Flush() // a lost connection shows at the next read
}

// Unwrap serves http.ResponseController.
func (a *response) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// begun reports whether the client may have got something already.
func (a *response) begun() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wrote
}

// keepAlive sends a comment, if this is an event stream, so that no proxy takes it for dead.
func (a *response) keepAlive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stream {
		return
	}
	a.extend()
	_, _ = a.ResponseWriter.Write([]byte(": alive\n\n"))
	_ = a.control.Flush()
}

func (a *response) extend() {
	_ = a.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // a recorder in a test has none
}

// held keeps an answer back. It cannot flush, so that mcp-go writes one plain JSON body.
type held struct {
	header http.Header
	status int
	body   []byte
}

func newHeld() *held { return &held{header: http.Header{}, status: http.StatusOK} }

func (h *held) Header() http.Header    { return h.header }
func (h *held) WriteHeader(status int) { h.status = status }

func (h *held) Write(p []byte) (int, error) {
	h.body = append(h.body, p...)
	return len(p), nil
}

// release sends what was held.
func (h *held) release(w http.ResponseWriter) {
	for name, values := range h.header {
		w.Header()[name] = values
	}
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body)
}
