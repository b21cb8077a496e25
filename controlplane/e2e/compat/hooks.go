package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/hostagent/agentkind"
)

// sendHook is what the CLI runs for each of its hooks: it hands the payload to the stage, and prints its answer.
func sendHook(socket, event string, payload io.Reader, reply io.Writer) error {
	conn, err := net.Dial("unix", socket) //nolint:noctx // the CLI ends it by a signal
	if err != nil {
		return fmt.Errorf("hook %s: %w", event, err)
	}
	defer conn.Close()
	if _, err := io.Copy(conn, io.MultiReader(strings.NewReader(event+"\n"), payload)); err != nil {
		return fmt.Errorf("hook %s: %w", event, err)
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		return fmt.Errorf("hook %s: %w", event, err)
	}
	_, err = io.Copy(reply, conn)
	return err
}

// fired is a hook that the CLI has run.
type fired struct {
	event   string
	payload []byte
	at      time.Time

	conn net.Conn
	gone chan struct{} // closed when the CLI has ended it
}

// hooks take in what the CLI's hooks report. The hook of a question is held until it is answered; all others return
// at once, or with what replies has for them.
type hooks struct {
	kind agentkind.Kind

	listener net.Listener
	group    sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	all     []*fired
	replies map[string]string // by event
}

func (h *hooks) listen(socket string) error {
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

func (h *hooks) take(conn net.Conn) {
	text, err := io.ReadAll(conn)
	event, payload, ok := strings.Cut(string(text), "\n")
	if err != nil || !ok {
		_ = conn.Close()
		return
	}
	f := &fired{event: event, payload: []byte(payload), at: time.Now(), conn: conn, gone: make(chan struct{})}
	h.mu.Lock()
	h.all = append(h.all, f)
	reply, ok := h.replies[event]
	h.mu.Unlock()
	if ok || event != h.kind.HeldHook {
		_ = f.answer([]byte(reply))
		return
	}
	for f.waits() {
		time.Sleep(50 * time.Millisecond)
	}
	close(f.gone)
}

// waits reports whether the CLI still waits for the hook. Its end of the connection was half closed from the beginning,
// so that only a write tells: of nothing, it asks the kernel whether the other side is there.
func (f *fired) waits() bool {
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

// answer ends the hook with this on its output.
func (f *fired) answer(text []byte) error {
	_, err := f.conn.Write(text)
	return errors.Join(err, f.conn.Close())
}

// reply says what the hooks of an event answer from now on.
func (h *hooks) reply(event, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.replies[event] = text
}

func (h *hooks) close() error {
	err := h.listener.Close()
	h.mu.Lock()
	for _, f := range h.all {
		_ = f.conn.Close()
	}
	h.mu.Unlock()
	h.group.Wait()
	return err
}

// of lists the hooks of one event so far, oldest first.
func (h *hooks) of(event string) []*fired {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.all), func(f *fired) bool { return f.event != event })
}

// events lists the names of what has fired so far.
func (h *hooks) events() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, f := range h.all {
		names = append(names, f.event)
	}
	return names
}

// hookCommand is the shell command of one event's hook.
func hookCommand(self, socket string) func(event string) string {
	return func(event string) string { return fmt.Sprintf("'%s' hook '%s' '%s'", self, socket, event) }
}

// isHook reports whether this process was started as a hook.
func isHook(args []string) bool { return len(args) == 3 && args[0] == "hook" }

func runHook(args []string) error { return sendHook(args[1], args[2], os.Stdin, os.Stdout) }
