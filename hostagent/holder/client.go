package holder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"switchboard/hostagent/socket"
	"switchboard/hostagent/terminal"
)

// The errors of calls to a holder.
var (
	// ErrGone: no holder answers in that directory. Nothing was done.
	ErrGone = errors.New("no holder runs this session")
	// ErrLost: the holder went away before it answered. Whether the call had its effect is unknown.
	ErrLost = errors.New("the holder went away before it answered")
	// ErrHookGone: the hook is answered, released, or its process went away.
	ErrHookGone = errors.New("the hook no longer waits")
)

// Client calls one holder. It is safe for concurrent use. Every call has a connection of its own, so that none
// waits for another and a cancelled one is gone at once.
type Client struct {
	dir    string
	closed context.Context // a call ends when the client is closed as when its own context does
	close  context.CancelFunc
	older  atomic.Bool // the holder is of a version before 2026-11-29
	ready  atomic.Pointer[line]
}

// Dial finds the holder of the session in dir; ErrGone if there is none.
func Dial(ctx context.Context, dir string) (*Client, error) {
	connection, err := connect(ctx, dir)
	if err != nil {
		return nil, err
	}
	connection.Close()
	c := &Client{dir: dir}
	c.closed, c.close = context.WithCancel(context.Background())
	return c, nil
}

// connect reaches the holder of the session in dir, or fails with ErrGone.
func connect(ctx context.Context, dir string) (net.Conn, error) {
	connection, err := socket.Dial(ctx, dir, socketFile)
	if errors.Is(err, socket.ErrGone) {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return connection, err
}

// Alive reports whether a holder answers in dir.
func Alive(dir string) bool {
	connection, err := connect(context.Background(), dir)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

// Close ends all calls that are still open.
func (c *Client) Close() error {
	c.close()
	return nil
}

// open connects for one call, and makes the request, with the payload behind it if the operation has one. The
// connection ends when ctx does or the client is closed; end is to be called.
func (c *Client) open(ctx context.Context, r request, payload []byte) (connection net.Conn, end func(), err error) {
	if c.closed.Err() != nil {
		return nil, nil, net.ErrClosed
	}
	connection, err = connect(ctx, c.dir)
	if err != nil {
		return nil, nil, err
	}
	hangUp := func() { connection.Close() }
	stop, stopClosed := context.AfterFunc(ctx, hangUp), context.AfterFunc(c.closed, hangUp)
	end = func() {
		stop()
		stopClosed()
		connection.Close()
	}
	if err := writeRequest(connection, r, payload); err != nil {
		end()
		return nil, nil, c.lost(ctx, err)
	}
	return connection, end, nil
}

// lost is the error of a call whose connection ended.
func (c *Client) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.closed.Err() != nil {
		return net.ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// call makes a request, with the payload behind it if the operation has one, and waits for the reply.
func (c *Client) call(ctx context.Context, r request, payload []byte) (reply, error) {
	if len(payload) > maxFrame {
		return reply{}, fmt.Errorf("%s: %d bytes are more than the %d that a holder takes", r.Operation, len(payload), maxFrame)
	}
	connection, end, err := c.open(ctx, r, payload)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.Operation, err)
	}
	var answer reply
	defer func() {
		if answer.Stays {
			c.keep(&line{connection, end})
			return
		}
		end()
	}()
	if err := readMessage(connection, &answer); err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.Operation, c.lost(ctx, err))
	}
	if err := answer.err(); err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.Operation, err)
	}
	return answer, nil
}

// Write types all of p into the terminal, with nothing else in between. An error other than ErrGone may mean that
// a part of it went in.
func (c *Client) Write(ctx context.Context, p []byte) error {
	_, err := c.call(ctx, request{Operation: opWrite}, p)
	return err
}

// WaitQuiet returns when the child has written nothing for that long, and nothing was typed, or it has ended. More than
// a minute cannot be asked for.
func (c *Client) WaitQuiet(ctx context.Context, quiet time.Duration) error {
	for {
		answer, err := c.call(ctx, request{Operation: opQuiet, Quiet: quiet}, nil)
		if err != nil || !answer.Again {
			return err
		}
	}
}

// Screen is what the terminal shows now.
func (c *Client) Screen(ctx context.Context) (terminal.Screen, error) {
	answer, err := c.call(ctx, request{Operation: opScreen}, nil)
	if err != nil {
		return terminal.Screen{}, err
	}
	if answer.Screen == nil {
		return terminal.Screen{}, errFrame
	}
	return *answer.Screen, nil
}

// Status is how the holder and its child are.
type Status struct {
	PID        int       `json:"pid"` // of the child, which leads its own process group and session
	Cols       int       `json:"cols"`
	Rows       int       `json:"rows"`
	Last       uint64    `json:"last"`    // N of the newest journal entry
	Viewers    int       `json:"viewers"` // attached now
	StartedAt  time.Time `json:"started_at"`
	LastInput  time.Time `json:"last_input"`  // when a viewer last typed, to the second; zero if none did
	LastOutput time.Time `json:"last_output"` // when the child last wrote; zero if it did not
}

// Status asks how the holder and its child are.
func (c *Client) Status(ctx context.Context) (Status, error) {
	answer, err := c.call(ctx, request{Operation: opStatus}, nil)
	if err != nil {
		return Status{}, err
	}
	if answer.Status == nil {
		return Status{}, errFrame
	}
	return *answer.Status, nil
}

// Append adds a note of the host agent's own to the journal and returns its N when it is on disk.
func (c *Client) Append(ctx context.Context, kind string, body any) (uint64, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("append %s: %w", kind, err)
	}
	answer, err := c.call(ctx, request{Operation: opAppend, Kind: kind, Body: text}, nil)
	return answer.N, err
}

// Answer hands reply to a held hook, which writes it to its standard output and exits 0. An empty reply releases
// the hook: it exits 0 without a word. The first answer wins, and is journalled before it is handed over;
// ErrHookGone for every other.
func (c *Client) Answer(ctx context.Context, hook HookID, reply []byte) error {
	_, err := c.call(ctx, request{Operation: opAnswer, Hook: hook}, reply)
	return err
}

// Signal sends s to the child's process group, and to the terminal's foreground group if that is another.
func (c *Client) Signal(ctx context.Context, s syscall.Signal) error {
	_, err := c.call(ctx, request{Operation: opSignal, Signal: s}, nil)
	return err
}

// Resize changes the terminal's size.
func (c *Client) Resize(ctx context.Context, cols, rows int) error {
	_, err := c.call(ctx, request{Operation: opResize, Cols: cols, Rows: rows}, nil)
	return err
}

// Follow yields the journal's entries with N > after, then each new one. It ends without an error after the last
// entry, when the holder has gone or was not there; otherwise its last pair has the error that ended it.
func (c *Client) Follow(ctx context.Context, after uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := c.follow(ctx, after, yield); err != nil && !errors.Is(err, errEnough) {
			yield(Entry{}, fmt.Errorf("follow the journal: %w", err))
		}
	}
}

// errEnough: whoever follows wants no more.
var errEnough = errors.New("enough")

func (c *Client) follow(ctx context.Context, after uint64, yield func(Entry, error) bool) error {
	connection, end, err := c.open(ctx, request{Operation: opFollow}, nil)
	if err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, ErrLost) {
		return err
	}
	file, openErr := os.Open(filepath.Join(c.dir, journalFile))
	if openErr != nil {
		return openErr
	}
	defer file.Close()
	scan := scanner{source: file, after: after}
	if err != nil {
		return scan.rest(file, after, yield)
	}
	defer end()
	for {
		var n newest
		if ended := readMessage(connection, &n); ended != nil {
			return errors.Join(scan.rest(file, after, yield), c.followEnd(ctx, ended))
		}
		if err := scan.yield(after, n.N, yield); err != nil {
			return err
		}
	}
}

// followEnd is nil if the holder has gone, which is how a journal ends.
func (c *Client) followEnd(ctx context.Context, ended error) error {
	err := c.lost(ctx, ended)
	if errors.Is(err, ErrLost) && (errors.Is(ended, io.EOF) || errors.Is(ended, syscall.ECONNRESET)) {
		return nil
	}
	return err
}

// rest hands over what a holder that has gone has left.
func (s *scanner) rest(file *os.File, after uint64, yield func(Entry, error) bool) error {
	if err := file.Sync(); err != nil { // see ReadJournal
		return err
	}
	return s.yield(after, math.MaxUint64, yield)
}

// yield hands over the entries that are there, up to N = last: a later one may not be on disk yet.
func (s *scanner) yield(after, last uint64, yield func(Entry, error) bool) error {
	s.reader = nil // it may remember an end that is none any more
	for s.last < last {
		entry, err := s.next()
		if errors.Is(err, errNoMore) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.N > after && !yield(entry, nil) {
			return errEnough
		}
	}
	return nil
}
