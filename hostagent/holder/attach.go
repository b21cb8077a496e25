package holder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Terminal is a viewer: a person's terminal, native or in a web page.
type Terminal struct {
	Input  io.ReadCloser // what the person types; Attach closes it to end a blocked Read. nil: only looks on
	Output io.Writer     // first the screen as it is, then all output
	Cols   int           // its size; 0: it has no say in the session's size
	Rows   int
	Sizes  <-chan [2]int // its later sizes, columns and rows; may be nil
	// Resized is called with the session's size, first and whenever it changes, for the viewer to take it on. A viewer
	// that has a size and cannot take on another (nil) is drawn what fits while the session's differs from its own.
	Resized func(cols, rows int)
}

// Attach joins the viewer to the session until Input ends (nil), the session ends (nil), or ctx does. The viewer
// who typed last decides the session's size. One who reads too slowly is not waited for: it is shown the newest
// screen when it has caught up. Questions that the child asks of its terminal are answered by the screen model
// and do not reach viewers.
func (c *Client) Attach(ctx context.Context, t Terminal) error {
	connection, end, err := c.open(ctx, request{
		Operation: opAttach, Cols: t.Cols, Rows: t.Rows, Watch: t.Input == nil, Fixed: t.Resized == nil,
	}, nil)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	defer end()
	var answer reply
	if err := readMessage(connection, &answer); err != nil {
		return fmt.Errorf("attach: %w", c.lost(ctx, err))
	}
	if err := answer.err(); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	socket := connection.(*net.UnixConn) // what connect gives
	a := attachment{Terminal: t, connection: socket, over: make(chan struct{})}
	if err := a.run(); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return ctx.Err()
}

// attachment is the viewer's side of an attached terminal.
type attachment struct {
	Terminal
	connection *net.UnixConn
	over       chan struct{} // closed when the session or the viewer has ended

	mu sync.Mutex // one frame at a time
}

func (a *attachment) run() error {
	var group sync.WaitGroup
	if a.Input != nil {
		group.Go(a.sendInput)
	}
	group.Go(a.sendSizes)
	err := a.takeOutput()
	close(a.over)
	_ = a.connection.Close()
	if a.Input != nil {
		a.Input.Close()
	}
	group.Wait()
	return err
}

// sendInput sends what is typed. When that ends, so does the attachment.
func (a *attachment) sendInput() {
	defer func() { _ = a.connection.CloseWrite() }()
	buffer := make([]byte, 4<<10)
	for {
		n, err := a.Input.Read(buffer)
		if n > 0 && a.send(data, buffer[:n]) != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

func (a *attachment) sendSizes() {
	for {
		select {
		case <-a.over:
			return
		case to, ok := <-a.Sizes:
			text, err := json.Marshal(size{to[0], to[1]})
			if !ok || err != nil || a.send(message, text) != nil {
				return
			}
		}
	}
}

func (a *attachment) send(kind frameKind, body []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return writeFrame(a.connection, kind, body)
}

// malformed is err if the peer does not speak as a holder does, and nil if it has only gone.
func malformed(err error) error {
	if errors.Is(err, errFrame) {
		return err
	}
	return nil
}

// takeOutput shows what comes until the connection ends, which is no error.
func (a *attachment) takeOutput() error {
	for {
		f, err := readFrame(a.connection)
		if err != nil {
			return malformed(err)
		}
		if f.kind == data {
			if _, err := a.Output.Write(f.body); err != nil {
				return fmt.Errorf("show output: %w", err)
			}
			continue
		}
		var now size
		if json.Unmarshal(f.body, &now) == nil && a.Resized != nil {
			a.Resized(now.Cols, now.Rows)
		}
	}
}
