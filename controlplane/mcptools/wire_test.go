package mcptools

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// wire is the way to the database, and can be cut.
type wire struct {
	t      *testing.T
	url    string // of the near end
	socket string
	far    string

	mu       sync.Mutex // guards the fields below
	listener net.Listener
	open     []net.Conn
	copies   sync.WaitGroup
}

func newWire(t *testing.T, databaseURL string) *wire {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "wire") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{
		t:      t,
		socket: filepath.Join(dir, ".s.PGSQL.5432"),
		far:    filepath.Join(config.Host, fmt.Sprintf(".s.PGSQL.%d", config.Port)),
		url: (&url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Path: "/" + config.Database,
			RawQuery: url.Values{"host": {dir}, "port": {"5432"}}.Encode()}).String(),
	}
	w.mend()
	t.Cleanup(func() {
		w.cut()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return w
}

// mend makes the wire whole.
func (w *wire) mend() {
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "unix", w.socket)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener = listener
	w.copies.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			w.join(near)
		}
	})
}

func (w *wire) join(near net.Conn) {
	far, err := (&net.Dialer{}).DialContext(context.WithoutCancel(w.t.Context()), "unix", w.far)
	if err != nil {
		near.Close()
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, near, far)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		w.copies.Go(func() {
			_, _ = io.Copy(pair[0], pair[1]) // ends when either end does
			pair[0].Close()
			pair[1].Close()
		})
	}
}

// cut ends all connections, and lets none be made.
func (w *wire) cut() {
	w.mu.Lock()
	w.listener.Close()
	for _, conn := range w.open {
		conn.Close()
	}
	w.open = nil
	w.mu.Unlock()
	w.copies.Wait()
}
