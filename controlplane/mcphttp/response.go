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
// It outlives its request where the client can come back for the rest.
type response struct {
	to      http.ResponseWriter
	control *http.ResponseController
	header  http.Header // mcp-go's, or everybody's
	ours    http.Header // what was set before mcp-go got a header of its own
	visit   *visit      // nil until the caller is known

	mu      sync.Mutex // guards the fields below, and the writer against the keep-alive comments
	status  int        // said, but held back until the body is there, which may change it
	wrote   bool
	stream  bool
	gone    bool // the request is over: nothing may be sent any more
	patient bool // the answer may become a stream when it takes long
	waited  int  // keep-alives before it began
	journal *journal
	closed  bool // the journal has the request's answer
}

func newResponse(w http.ResponseWriter) *response {
	return &response{to: w, control: http.NewResponseController(w), header: http.Header{}}
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
	if strings.HasPrefix(a.header.Get("Content-Type"), eventStream) {
		a.beginStream()
	}
}

const eventStream = "text/event-stream"

// beginStream sends a stream's header, to which mcp-go has nothing to add.
func (a *response) beginStream() {
	a.stream, a.wrote = true, true
	if !a.gone {
		maps.Copy(a.to.Header(), a.ours)
		a.to.Header().Set("Content-Type", eventStream)
		a.to.Header().Set("X-Accel-Buffering", "no")   // else nginx keeps events to itself
		a.to.Header().Set("Cache-Control", "no-store") // mcp-go says no-cache
		a.to.WriteHeader(http.StatusOK)
	}
	if a.journal == nil {
		return
	}
	first, ok := a.journal.begin()
	if !ok {
		a.journal = nil
		return
	}
	_ = a.send(first) // a lost connection shows at the next read
	a.flush()
}

func (a *response) writeHeader(status int) {
	a.wrote = true
	if a.gone {
		return
	}
	maps.Copy(a.to.Header(), a.ours)
	maps.Copy(a.to.Header(), a.header)
	a.to.Header().Set("Cache-Control", "no-store")
	a.to.WriteHeader(status)
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
		status, body = a.visit.amend(status, a.header, body)
		if status == http.StatusOK && a.visit.unavailable.Load() {
			status = http.StatusServiceUnavailable
			retryAfter(a, auth.RetryAfter)
		}
	}
	a.writeHeader(status)
	return a.send(body)
}

// writeEvent sends one event. The last one of a request's stream is its answer: from mcp-go a body, if it does not
// know that this is a stream.
func (a *response) writeEvent(event []byte) error {
	data := bytes.TrimSpace(bytes.TrimPrefix(event, []byte(eventPrefix)))
	kind := kindOf(data)
	if kind == answering && a.visit != nil {
		_, data = a.visit.amend(http.StatusOK, http.Header{}, data)
		data = bytes.TrimSpace(data)
	}
	return a.sendMessage(data, kind)
}

func (a *response) sendMessage(data []byte, kind kind) error {
	if a.journal == nil {
		return a.send(eventOf(data))
	}
	if kind == asking {
		data = a.journal.question(data)
	}
	a.closed = kind == answering
	return a.send(a.journal.append(data, a.closed))
}

// conclude answers a request of whose handler nothing more will come, if a client may come back for the answer:
// mcp-go says nothing when its context has ended.
func (a *response) conclude() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stream && a.journal != nil && !a.closed {
		_ = a.sendMessage(lost(a.journal.stream.Request).line(), answering) // a lost connection shows at the next read
	}
}

// eventPrefix is how mcp-go begins an event.
const eventPrefix = "event: message\ndata: "

// kind is what a message of the server's is.
type kind int

const (
	notifying kind = iota
	asking
	answering
)

func kindOf(data []byte) kind {
	var message struct {
		ID     json.RawMessage `json:"id"`
		Method json.RawMessage `json:"method"`
	}
	switch {
	case json.Unmarshal(data, &message) != nil:
		return notifying
	case message.Method == nil:
		return answering
	case message.ID != nil:
		return asking
	}
	return notifying
}

func (a *response) send(p []byte) error {
	if a.gone {
		return nil
	}
	a.extend()
	_, err := a.to.Write(p)
	return err
}

// Flush makes mcp-go see that answers can be streamed.
func (a *response) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flush()
}

func (a *response) flush() {
	if !a.wrote || a.gone {
		return
	}
	a.extend()
	_ = a.control.Flush() // a lost connection shows at the next read
}

// finish sends an answer that has no body. Nothing can be sent afterwards.
func (a *response) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.wrote && a.status != 0 {
		a.writeHeader(a.status)
	}
	a.gone = true
}

// begun reports whether the client may have got something already.
func (a *response) begun() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wrote
}

// keeps reports whether the client can come back for what it has not got yet.
func (a *response) keeps() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stream && a.journal != nil
}

// mayStream lets the answer become a stream: if there is a notification, or if it takes long. Mcp-go gets a header of
// its own, since it may set it at that very moment.
func (a *response) mayStream(j *journal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.patient, a.journal = true, j
	a.ours, a.header = a.header, http.Header{}
	a.visit.listens = a
}

// patience is how many keep-alives an answer may take before it becomes a stream, so that no proxy takes the
// connection for dead.
const patience = 3

// keepAlive sends a comment, if this is an event stream or has to become one.
func (a *response) keepAlive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.patient && !a.wrote {
		a.waited++
		if a.waited == patience {
			a.beginStream()
		}
	}
	if !a.stream {
		return
	}
	if a.journal != nil {
		a.journal.renew()
	}
	_ = a.send([]byte(": alive\n\n")) // a lost connection shows at the next read
	a.flush()
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
