package mcphttp

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"switchboard/auth"
)

// writeTimeout is how long a client may leave a write unread before its connection is cut.
const writeTimeout = 30 * time.Second

// response is the writer that mcp-go gets. It sets the headers that hold for every answer, amends what mcp-go says,
// and lets comments keep an event stream alive between mcp-go's events. Mcp-go writes each body and each event whole.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	header  http.Header // what is sent with the status
	visit   *visit      // nil until the caller is known

	mu     sync.Mutex // guards the fields below, and the writer against the keep-alive comments
	status int        // said, but held back until the body is there, which may change it
	wrote  bool
	stream bool
}

func newResponse(w http.ResponseWriter) *response {
	w.Header().Set("Cache-Control", "no-store")
	return &response{ResponseWriter: w, control: http.NewResponseController(w), header: w.Header()}
}

// Header is sent with the status, if it is set by then.
func (a *response) Header() http.Header { return a.header }

// WriteHeader begins an event stream at once, and any other answer with its body.
func (a *response) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wrote {
		return
	}
	a.status = status
	if strings.HasPrefix(a.Header().Get("Content-Type"), eventStream) {
		a.beginStream()
	}
}

const eventStream = "text/event-stream"

// beginStream sends a stream's header, to which mcp-go has nothing to add.
func (a *response) beginStream() {
	a.stream, a.wrote = true, true
	a.ResponseWriter.Header().Set("Content-Type", eventStream)
	a.ResponseWriter.Header().Set("X-Accel-Buffering", "no")   // else nginx keeps events to itself
	a.ResponseWriter.Header().Set("Cache-Control", "no-store") // mcp-go says no-cache for streams
	a.ResponseWriter.WriteHeader(http.StatusOK)
}

func (a *response) writeHeader(status int) {
	a.wrote = true
	maps.Copy(a.ResponseWriter.Header(), a.header)
	a.ResponseWriter.Header().Set("Cache-Control", "no-store")
	a.ResponseWriter.WriteHeader(status)
}

// Write sends one event or one body.
func (a *response) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	switch {
	case a.stream:
		err = a.writeEvent(p)
	case a.wrote:
		err = a.send(p)
	default:
		err = a.writeBody(p)
	}
	return len(p), err
}

// writeBody sends the answer in one piece.
func (a *response) writeBody(body []byte) error {
	status := max(a.status, http.StatusOK)
	if a.visit != nil {
		status, body = a.visit.amend(status, a.Header(), body)
		if status == http.StatusOK && a.visit.unavailable.Load() {
			status = http.StatusServiceUnavailable
			retryAfter(a.ResponseWriter, auth.RetryAfter)
		}
	}
	a.Header().Del("Content-Length")
	a.writeHeader(status)
	return a.send(body)
}

// writeEvent sends one event. The last one of a request's stream is its answer: from mcp-go a body, if it does not
// know that this is a stream.
func (a *response) writeEvent(event []byte) error {
	data := bytes.TrimSpace(bytes.TrimPrefix(event, []byte(eventPrefix)))
	if a.visit != nil && isResponse(data) {
		_, data = a.visit.amend(http.StatusOK, http.Header{}, data)
	}
	return a.send(eventOf(bytes.TrimSpace(data)))
}

// eventPrefix is how mcp-go begins an event.
const eventPrefix = "event: message\ndata: "

// isResponse tells an answer from a notification and from a request of the server's.
func isResponse(data []byte) bool {
	var message struct {
		Method json.RawMessage `json:"method"`
	}
	return json.Unmarshal(data, &message) == nil && message.Method == nil
}

func (a *response) send(p []byte) error {
	a.extend()
	_, err := a.ResponseWriter.Write(p)
	return err
}

// Flush makes mcp-go see that answers can be streamed.
func (a *response) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.wrote {
		return
	}
	a.extend()
	_ = a.control.Flush() // a lost connection shows at the next read
}

// finish sends an answer that has no body.
func (a *response) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.wrote && a.status != 0 {
		a.writeHeader(a.status)
	}
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

// release sends what was held.
func (h *held) release(w http.ResponseWriter) {
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body) // who has gone away reads no answer
}

func newHeld() *held { return &held{header: http.Header{}, status: http.StatusOK} }

func (h *held) Header() http.Header    { return h.header }
func (h *held) WriteHeader(status int) { h.status = status }

func (h *held) Write(p []byte) (int, error) {
	h.body = append(h.body, p...)
	return len(p), nil
}
