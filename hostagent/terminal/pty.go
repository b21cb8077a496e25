package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// PTY is the master side of a pseudo-terminal with a child on the other side. Read and Write may be called
// concurrently with each other and with the rest.
type PTY struct {
	master *os.File
	child  *os.Process
}

// StartPTY starts the command on a new terminal, as the leader of a session and process group of its own.
func StartPTY(command *exec.Cmd, cols, rows int) (*PTY, error) {
	started, err := pty.StartWithSize(command, winsize(cols, rows))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	defer started.Close()
	master, err := pollable(started)
	if err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	return &PTY{master: master, child: command.Process}, nil
}

func winsize(cols, rows int) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(clamp(cols, 1, MaxCols)), Rows: uint16(clamp(rows, 1, MaxRows))}
}

// pollable makes a file whose reads and writes can be given a deadline. creack/pty leaves the master in blocking
// mode, and opens it so on macOS.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the terminal: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set the terminal non-blocking: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// Read reads what the child wrote. It fails when nobody has the terminal's other side open any more, and after the
// deadline for reads, but not before it has read all that was written by then: who comes late misses nothing.
func (p *PTY) Read(b []byte) (int, error) { return p.ReadOr(b, func() {}) }

// ReadOr is Read, but calls dry before it waits for the child.
func (p *PTY) ReadOr(b []byte, dry func()) (n int, err error) {
	connection, err := p.master.SyscallConn()
	if err != nil {
		return 0, err
	}
	waitErr := connection.Read(func(fd uintptr) bool {
		n, err = readNow(fd, b)
		if errors.Is(err, unix.EAGAIN) {
			dry()
			return false
		}
		return true
	})
	if errors.Is(waitErr, os.ErrDeadlineExceeded) { // which it says without a look
		lookErr := connection.Control(func(fd uintptr) { n, err = readNow(fd, b) })
		if lookErr == nil && !errors.Is(err, unix.EAGAIN) {
			waitErr = nil
		}
	}
	switch {
	case waitErr != nil:
		return 0, waitErr
	case err != nil:
		return 0, fmt.Errorf("read the terminal: %w", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func readNow(fd uintptr, b []byte) (n int, err error) {
	n, err = unix.Read(int(fd), b)
	for errors.Is(err, unix.EINTR) {
		n, err = unix.Read(int(fd), b)
	}
	return n, err
}

// SetReadDeadline ends reads that are blocked at that time.
func (p *PTY) SetReadDeadline(at time.Time) error { return p.master.SetReadDeadline(at) }

// Write types all of b. A child that reads nothing blocks it when the kernel's buffer is full, until ctx ends;
// the error then says how much was typed. Concurrent writes are not kept apart.
func (p *PTY) Write(ctx context.Context, b []byte) error {
	deadline, _ := ctx.Deadline()
	if err := p.master.SetWriteDeadline(deadline); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return fmt.Errorf("type: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = p.master.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	n, err := p.master.Write(b)
	if err != nil {
		return fmt.Errorf("type: only %d of %d bytes went in: %w", n, len(b), err)
	}
	return nil
}

// Resize tells the child of a new size (SIGWINCH).
func (p *PTY) Resize(cols, rows int) error {
	size := winsize(cols, rows)
	err := p.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: size.Cols, Row: size.Rows})
	})
	if err != nil {
		return fmt.Errorf("resize the terminal: %w", err)
	}
	return nil
}

// Signal sends s to the child's process group, and to the terminal's foreground group if that is another.
func (p *PTY) Signal(s syscall.Signal) error {
	group := p.child.Pid
	var foreground int
	// Without a foreground group there is only the child's.
	_ = p.control(func(fd int) (err error) {
		foreground, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	err := syscall.Kill(-group, s)
	if foreground > 1 && foreground != group {
		err = errors.Join(ignoreGone(syscall.Kill(-foreground, s)), ignoreGone(err))
	}
	if err != nil {
		return fmt.Errorf("send %v to process group %d: %w", s, group, err)
	}
	return nil
}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// control calls f with the file descriptor, leaving it non-blocking as (*os.File).Fd would not.
func (p *PTY) control(f func(fd int) error) error {
	connection, err := p.master.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := connection.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// Close hangs up: what still has the terminal open gets SIGHUP.
func (p *PTY) Close() error { return p.master.Close() }
