package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// postmaster is what a running server writes into postmaster.pid. Its lines are the process id, the data
// directory, the start time, the port, the socket directory, the listen address, the shared memory key and, last,
// the status.
type postmaster struct {
	pid    int
	socket string // directory
	ready  bool
}

// readPostmaster reads who serves the cluster; pid 0 is nobody. A server that is starting has written only some
// of the lines.
func readPostmaster(data string) (postmaster, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return postmaster{}, nil
	}
	if err != nil {
		return postmaster{}, err
	}
	return parsePostmaster(string(text))
}

func parsePostmaster(text string) (postmaster, error) {
	lines := strings.Split(text, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return postmaster{}, fmt.Errorf("postmaster.pid: %.40q is no process id", lines[0])
	}
	p := postmaster{pid: pid}
	if len(lines) >= 5 {
		p.socket = lines[4]
	}
	if len(lines) >= 8 {
		p.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return p, nil
}

// alive reports whether the process exists. Another user's counts.
func (p postmaster) alive() bool {
	if p.pid == 0 {
		return false
	}
	err := syscall.Kill(p.pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// serves reports whether a server answers on the socket. It tells a server from a process that only has the
// number of one that was killed.
func (p postmaster) serves(ctx context.Context) bool {
	if !p.alive() || !p.ready || p.socket == "" {
		return false
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(p.socket, ".s.PGSQL.5432"))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
