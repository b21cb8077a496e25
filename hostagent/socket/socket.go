// Package socket makes Unix sockets that nobody but this user can use: the holders' and the host agent's. The socket has
// mode 0600, lies in a directory of mode 0700, and each side asks the system who the other one is.
package socket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrGone: nobody answers there.
var ErrGone = errors.New("nobody answers")

// maxPath is what fits into a sockaddr_un on macOS (104 bytes with the final NUL; Linux has 108).
const maxPath = 103

// place is where the socket of this name in dir is: there, or, where that path is too long for a socket, in a
// directory of the user's own under /tmp, by a name derived from the path.
func place(dir, name string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the socket's directory: %w", err)
	}
	path := filepath.Join(dir, name)
	if len(path) <= maxPath {
		return path, nil
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(shortDir(), hex.EncodeToString(sum[:16])+filepath.Ext(name)), nil
}

func shortDir() string { return "/tmp/switchboard-" + strconv.Itoa(os.Getuid()) }

// private makes sure that nobody else can put anything into the directory.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the socket's directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the socket's directory: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("the socket's directory %s is not this user's alone (0700)", dir)
	}
	return nil
}

// Listen opens the socket of this name in dir. The caller holds a lock, so a socket that is there is a dead
// process's.
func Listen(ctx context.Context, dir, name string) (net.Listener, error) {
	path, err := place(dir, name)
	if err != nil {
		return nil, err
	}
	if err := private(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove a dead process's socket: %w", err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("close the socket to others: %w", err)
	}
	return listener, nil
}

// Dial reaches whoever listens at the socket of this name in dir, or fails with ErrGone.
func Dial(ctx context.Context, dir, name string) (net.Conn, error) {
	path, err := place(dir, name)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", path)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err := SamePeer(connection); err != nil {
		connection.Close()
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return connection, nil
}

// SamePeer refuses a peer that runs as another user. The directory's mode keeps others out already; this holds
// even where somebody loosened it.
func SamePeer(connection net.Conn) error {
	raw, err := connection.(*net.UnixConn).SyscallConn() // all connections here are to Unix sockets
	if err != nil {
		return fmt.Errorf("ask who the peer is: %w", err)
	}
	var uid int
	var inner error
	if err := raw.Control(func(fd uintptr) { uid, inner = peerUID(int(fd)) }); err != nil {
		inner = err
	}
	if inner != nil {
		return fmt.Errorf("ask who the peer is: %w", inner)
	}
	if uid != os.Getuid() {
		return fmt.Errorf("the peer runs as user %d", uid)
	}
	return nil
}
