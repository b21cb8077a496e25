package holder

import (
	"context"
	"errors"
	"iter"
	"syscall"
	"time"

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
type Client struct{ dir string }

// Dial finds the holder of the session in dir; ErrGone if there is none.
func Dial(ctx context.Context, dir string) (*Client, error) { return &Client{dir: dir}, nil }

// Alive reports whether a holder answers in dir.
func Alive(dir string) bool { return false }

// Close ends all calls that are still open.
func (c *Client) Close() error { return nil }

// Write types all of p into the terminal, with nothing else in between.
func (c *Client) Write(ctx context.Context, p []byte) error { return nil }

// WaitQuiet returns when the child has written nothing for that long.
func (c *Client) WaitQuiet(ctx context.Context, quiet time.Duration) error { return nil }

// Screen is what the terminal shows now.
func (c *Client) Screen(ctx context.Context) (terminal.Screen, error) { return terminal.Screen{}, nil }

// Status is how the holder and its child are.
type Status struct {
	PID        int       `json:"pid"` // of the child, which leads its own process group and session
	Cols       int       `json:"cols"`
	Rows       int       `json:"rows"`
	Last       uint64    `json:"last"`    // N of the newest journal entry
	Viewers    int       `json:"viewers"` // attached now
	StartedAt  time.Time `json:"started_at"`
	LastInput  time.Time `json:"last_input"`  // when a viewer last typed; zero if none did
	LastOutput time.Time `json:"last_output"` // when the child last wrote; zero if it did not
}

// Status asks how the holder and its child are.
func (c *Client) Status(ctx context.Context) (Status, error) { return Status{}, nil }

// Append adds a note of the host agent's own to the journal and returns its N when it is on disk.
func (c *Client) Append(ctx context.Context, kind string, body any) (uint64, error) { return 0, nil }

// Answer hands reply to a held hook, which writes it to its standard output and exits 0. An empty reply releases
// the hook: it exits 0 without a word. The first answer wins, and is journalled before it is handed over;
// ErrHookGone for every other.
func (c *Client) Answer(ctx context.Context, hook HookID, reply []byte) error { return nil }

// Follow yields the journal's entries with N > after, then each new one. It ends without an error when the
// holder has gone, after the last entry; otherwise its last pair has the error that ended it.
func (c *Client) Follow(ctx context.Context, after uint64) iter.Seq2[Entry, error] {
	return func(func(Entry, error) bool) {}
}

// Signal sends s to the child's process group, and to the terminal's foreground group if that is another.
func (c *Client) Signal(ctx context.Context, s syscall.Signal) error { return nil }

// Resize changes the terminal's size.
func (c *Client) Resize(ctx context.Context, cols, rows int) error { return nil }
