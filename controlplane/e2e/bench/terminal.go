package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/creack/pty"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// megabytes is a rate of output.
type megabytes float64

// measureTerminal measures how fast output goes through a holder, with screen and recording, and what a session
// that floods its terminal does to a quiet one.
func measureTerminal(ctx context.Context, p *product) ([]row, error) {
	t := terminals{product: p}
	var rows []row
	for _, kind := range []string{"plain", "ANSI"} {
		var bare, held megabytes
		for range rounds {
			rate, err := t.bareFlood(ctx, kind)
			if err != nil {
				return nil, err
			}
			bare = max(bare, rate)
			if rate, err = t.heldFlood(ctx, kind); err != nil {
				return nil, err
			}
			held = max(held, rate)
		}
		rows = append(rows, row{
			path: "terminal output, " + kind, limit: "raw PTY read", bound: bare.String(), ours: held.String(),
			ratio: fmt.Sprintf("%.2f×", held/bare), aim: "≥ 0.7×",
		})
	}
	alone, beside, err := t.disturb(ctx)
	if err != nil {
		return nil, err
	}
	return append(rows, latencyRow("keystroke echo, beside a flood", "the same session alone", alone, beside, "p99 ≤ 3×")), nil
}

func (m megabytes) String() string { return fmt.Sprintf("%.0f MB/s", float64(m)) }

// terminals makes holders' directories, one after the other.
type terminals struct {
	*product
	made int
}

func (t *terminals) dir() string {
	t.made++
	return filepath.Join(t.product.dir, fmt.Sprintf("terminal-%d", t.made))
}

// command is a child that floods; result is the file in which it says how much it was.
func (t *terminals) command(kind string) (argv []string, result string, err error) {
	self, err := os.Executable()
	result = filepath.Join(t.product.dir, fmt.Sprintf("flood-%d", t.made))
	return []string{self, wordFlood, kind, result}, result, err
}

// bareFlood reads the terminal and does nothing else.
func (t *terminals) bareFlood(ctx context.Context, kind string) (megabytes, error) {
	argv, result, err := t.command(kind)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: holder.DefaultRows, Cols: holder.DefaultCols})
	if err != nil {
		return 0, fmt.Errorf("flooding a bare terminal: %w", err)
	}
	defer master.Close()
	buffer := make([]byte, 64<<10)
	for err == nil {
		_, err = master.Read(buffer) // its end is an error on Linux
	}
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("flooding a bare terminal: %w", err)
	}
	return takeResult(result)
}

// heldFlood lets a holder read it, without a limit on its recording.
func (t *terminals) heldFlood(ctx context.Context, kind string) (megabytes, error) {
	dir := t.dir()
	argv, result, err := t.command(kind)
	if err != nil {
		return 0, err
	}
	if err := t.hold(ctx, dir, argv); err != nil {
		return 0, err
	}
	if err := poll(ctx, func() bool { return !holder.Alive(dir) }); err != nil {
		return 0, err
	}
	rate, err := takeResult(result)
	return rate, errors.Join(err, os.RemoveAll(dir))
}

func (t *terminals) hold(ctx context.Context, dir string, argv []string) error {
	return holder.Start(ctx, t.programs.HostAgent, dir, holder.Spec{
		Session: protocol.SessionID("bench"), Argv: argv, Env: []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color"},
		WorkingDir: t.product.dir, RecordingBytes: 1 << 40,
	})
}

func takeResult(path string) (megabytes, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading how much was flooded: %w", err)
	}
	var written, nanoseconds float64
	if _, err := fmt.Sscan(string(text), &written, &nanoseconds); err != nil {
		return 0, fmt.Errorf("reading how much was flooded: %w", err)
	}
	return megabytes(written / nanoseconds * 1000), os.Remove(path)
}

// disturb measures a session's echo alone, and then while another session floods its terminal.
func (t *terminals) disturb(ctx context.Context) (alone, beside load, err error) {
	dir := t.dir()
	// The kernel echoes each key; cat takes them all in.
	if err := t.hold(ctx, dir, []string{"/bin/sh", "-c", "stty raw echo; exec cat >/dev/null"}); err != nil {
		return alone, beside, err
	}
	client, err := holder.Dial(ctx, dir)
	if err != nil {
		return alone, beside, err
	}
	defer client.Close()
	defer func() { err = errors.Join(err, client.Signal(context.WithoutCancel(ctx), syscall.SIGKILL)) }()
	echo := attach(ctx, client)
	defer func() { err = errors.Join(err, echo.leave()) }()
	if alone, err = echo.typing(ctx, floodFor); err != nil {
		return alone, beside, err
	}
	argv, result, err := t.command("plain")
	if err != nil {
		return alone, beside, err
	}
	if err := t.hold(ctx, t.dir(), argv); err != nil {
		return alone, beside, err
	}
	beside, err = echo.typing(ctx, floodFor-floodFor/5) // it ends before the flood does
	if err != nil {
		return alone, beside, err
	}
	err = poll(ctx, func() bool { _, err := os.Stat(result); return err == nil })
	return alone, beside, err
}
