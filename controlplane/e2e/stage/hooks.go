package stage

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"switchboard/hostagent/agentkind"
)

// Fired is a hook that the CLI has run.
type Fired struct {
	Event   string
	Payload []byte

	conn net.Conn
}

// Hooks take in what the CLI's hooks report. The hook of a question is held until it is answered; all others return
// at once, or with what replies has for them.
type Hooks struct {
	kind agentkind.Kind

	listener net.Listener
	group    sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	all     []*Fired
	replies map[string]string // by event
}

func (h *Hooks) listen(socket string) error {
	listener, err := net.Listen("unix", socket) //nolint:noctx // closed by its owner
	if err != nil {
		return fmt.Errorf("listening for hooks: %w", err)
	}
	h.listener = listener
	h.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			h.group.Go(func() { h.take(conn) })
		}
	})
	return nil
}

func (h *Hooks) take(conn net.Conn) {
	text, err := io.ReadAll(conn)
	event, payload, ok := strings.Cut(string(text), "\n")
	if err != nil || !ok {
		_ = conn.Close()
		return
	}
	f := &Fired{Event: event, Payload: []byte(payload), conn: conn}
	h.mu.Lock()
	h.all = append(h.all, f)
	reply, ok := h.replies[event]
	h.mu.Unlock()
	if ok || event != h.kind.HeldHook {
		_ = f.Answer([]byte(reply))
	}
}

// Waits reports whether the CLI still waits for the hook. Its end of the connection was half closed from the beginning,
// so that only a write tells: of nothing, it asks the kernel whether the other side is there.
func (f *Fired) Waits() bool {
	raw, err := f.conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	gone := false
	if err := raw.Control(func(fd uintptr) { gone = hungUp(int(fd)) }); err != nil {
		return false
	}
	return !gone
}

// Answer ends the hook with this on its output.
func (f *Fired) Answer(text []byte) error {
	_, err := f.conn.Write(text)
	return errors.Join(err, f.conn.Close())
}

// Reply says what the hooks of an event answer from now on.
func (h *Hooks) Reply(event, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.replies[event] = text
}

func (h *Hooks) close() error {
	err := h.listener.Close()
	h.mu.Lock()
	for _, f := range h.all {
		_ = f.conn.Close()
	}
	h.mu.Unlock()
	h.group.Wait()
	return err
}

// Of lists the hooks of one event so far, oldest first.
func (h *Hooks) Of(event string) []*Fired {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.all), func(f *Fired) bool { return f.Event != event })
}

// Events lists the names of what has fired so far.
func (h *Hooks) Events() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, f := range h.all {
		names = append(names, f.Event)
	}
	return names
}
