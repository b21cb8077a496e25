package socket_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/hostagent/socket"
)

// TestSocket: it is reached where it lies, also where its path is too long for a socket, and is this user's alone.
func TestSocket(t *testing.T) {
	for name, dir := range map[string]string{
		"short": filepath.Join(t.TempDir(), "s"),
		"long":  filepath.Join(t.TempDir(), strings.Repeat("long", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := socket.Dial(t.Context(), dir, "a.sock"); !errors.Is(err, socket.ErrGone) {
				t.Errorf("dial before: %v", err)
			}
			for range 2 { // what a dead process left is no hindrance
				listener, err := socket.Listen(t.Context(), dir, "a.sock")
				if err != nil {
					t.Fatal(err)
				}
				path := listener.Addr().String()
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("mode %v, %v", info.Mode(), err)
				}
				connection, err := socket.Dial(t.Context(), dir, "a.sock")
				if err != nil {
					t.Fatal(err)
				}
				other, err := listener.Accept()
				if err != nil || socket.SamePeer(other) != nil {
					t.Errorf("accept: %v, %v", err, socket.SamePeer(other))
				}
				other.Close()
				if _, err := io.ReadAll(connection); err != nil {
					t.Error(err)
				}
				connection.Close()
				listener.Close()
			}
		})
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Listen(t.Context(), open, "a.sock"); err == nil {
		t.Error("a socket is made where others may look")
	}
}
