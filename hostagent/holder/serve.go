package holder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"switchboard/hostagent/socket"
)

const (
	maxConnections = 256
	requestWait    = 10 * time.Second       // for a connection's first frames
	writeWait      = 30 * time.Second       // for the child to take what is typed
	quietWait      = time.Minute            // WaitQuiet asks again after that
	quietLimit     = time.Minute            // the longest quiet that can be asked for
	acceptPause    = 100 * time.Millisecond // when there are no file descriptors left
)

// serve takes connections until the listener is closed, ends them when ctx does, and waits for them.
func (h *holder) serve(ctx context.Context, listener net.Listener) {
	var connections sync.WaitGroup
	defer connections.Wait()
	slots := make(chan struct{}, maxConnections)
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			h.log.Warn("connection not accepted", "err", err)
			time.Sleep(acceptPause)
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			h.log.Warn("too many connections")
			connection.Close()
			continue
		}
		connections.Go(func() {
			defer func() { <-slots }()
			h.connection(ctx, connection)
		})
	}
}

// connection serves one connection.
func (h *holder) connection(ctx context.Context, connection net.Conn) {
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { connection.Close() })
	defer stop()
	if err := socket.SamePeer(connection); err != nil {
		h.log.Warn("connection refused", "err", err)
		return
	}
	_ = connection.SetReadDeadline(time.Now().Add(requestWait)) // fails only when it is closed already
	c := call{holder: h, connection: connection}
	if err := readMessage(connection, &c.request); err != nil {
		return
	}
	c.serve(ctx)
	for c.request.Stay && c.readAnother() == nil {
		c.serve(ctx)
	}
}

// readAnother waits for one more request, until the child's end.
func (c *call) readAnother() error {
	c.request = request{}
	_ = c.connection.SetDeadline(time.Time{}) // the last reply's, too, which would wake this process for nothing
	stop := context.AfterFunc(c.ended, func() { _ = c.connection.SetReadDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		_ = c.connection.SetReadDeadline(time.Now().Add(requestWait)) // for what follows the request
	}()
	return readMessage(c.connection, &c.request)
}

func (c call) serve(ctx context.Context) {
	switch c.request.Operation {
	case opHook:
		c.hook()
	case opFollow:
		c.follow()
	case opAttach:
		c.attach(ctx)
	case opType:
		c.deliver(ctx)
	default:
		c.answer(ctx)
	}
}

// call is one request on its connection.
type call struct {
	*holder
	connection net.Conn
	request    request
}

// answer serves a request that has one reply.
func (c call) answer(ctx context.Context) {
	answer, err := c.perform(ctx)
	if err != nil {
		answer = outcome(err)
	}
	c.say(answer)
}

// say sends a reply. A peer that does not take it has gone.
func (c call) say(r reply) {
	_ = c.connection.SetWriteDeadline(time.Now().Add(requestWait))
	if err := writeMessage(c.connection, r); err != nil {
		c.log.Debug("reply not sent", "operation", c.request.Operation, "err", err)
	}
}

func (c call) perform(ctx context.Context) (reply, error) {
	switch c.request.Operation {
	case opWrite:
		return reply{}, c.typeText(ctx)
	case opQuiet:
		return reply{Again: !c.waitQuiet(ctx)}, nil
	case opLook:
		look := c.look(ctx)
		return reply{Look: &look, Stays: c.request.Stay}, nil
	case opScreen:
		screen := c.shown()
		return reply{Screen: &screen}, nil
	case opStatus:
		status := c.status()
		return reply{Status: &status}, nil
	case opAppend:
		return c.appendNote()
	case opAnswer:
		return reply{}, c.answerHook(ctx)
	case opSignal:
		return reply{}, c.pty.Signal(c.request.Signal)
	case opResize:
		if err := c.request.checkSize(); err != nil {
			return reply{}, err
		}
		return reply{}, c.resize(size{c.request.Cols, c.request.Rows})
	}
	return reply{}, fmt.Errorf(unknownOperation+" %q", c.request.Operation)
}

// typeText types the data frame that follows.
func (c call) typeText(ctx context.Context) error {
	text, err := readData(c.connection)
	if err != nil {
		return fmt.Errorf("read what is to be typed: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	ctx, stop := untilClosed(ctx, c.connection)
	defer stop()
	return c.write(ctx, text)
}

func errReserved(kind string) error { return fmt.Errorf("a note cannot be of kind %q", kind) }

func (c call) appendNote() (reply, error) {
	if reserved[c.request.Kind] {
		return reply{}, errReserved(c.request.Kind)
	}
	body := c.request.Body
	if len(body) == 0 {
		body = json.RawMessage("null")
	}
	n, err := c.note(c.request.Kind, body)
	return reply{N: n}, err
}

// waitQuiet waits until no output has come and nothing was typed for as long as was asked, or reports false after
// quietWait. It has a timer only while it waits.
func (c call) waitQuiet(ctx context.Context) bool {
	quiet := min(c.request.Quiet, quietLimit)
	if since := c.lastMoved(); !since.IsZero() && time.Since(since) >= quiet {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, quietWait)
	defer cancel()
	ctx, stop := untilClosed(ctx, c.connection)
	defer stop()
	began := time.Now()
	for {
		since := c.lastMoved()
		if since.IsZero() {
			since = began
		}
		left := quiet - time.Since(since)
		if left <= 0 {
			return true
		}
		select {
		case <-time.After(left):
		case <-c.ended.Done():
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// lastMoved is when output last came, or something was typed; zero if never.
func (h *holder) lastMoved() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lastTyped.After(h.lastOutput) {
		return h.lastTyped
	}
	return h.lastOutput
}

// follow tells the peer of each change of the journal, which it reads itself.
func (c call) follow() {
	ctx, stop := untilClosed(context.Background(), c.connection)
	defer stop()
	for {
		n, changed := c.journal.newest()
		if err := writeMessage(c.connection, newest{n}); err != nil {
			return
		}
		select {
		case <-changed:
		case <-c.finished:
			return // the peer reads what is left when the connection ends
		case <-ctx.Done():
			return
		}
	}
}

// untilClosed is a context that also ends when the peer closes the connection. The peer has nothing more to say
// before stop is called.
func untilClosed(ctx context.Context, connection net.Conn) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	_ = connection.SetReadDeadline(time.Time{})
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		_, _ = connection.Read(make([]byte, 1)) // returns when the peer closes, or stop sets the deadline
	})
	return ctx, func() {
		_ = connection.SetReadDeadline(time.Unix(1, 0))
		group.Wait()
	}
}
