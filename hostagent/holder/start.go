package holder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// running is the holder's first and only word on its standard output, if all went well.
const running = "running"

// abandonPatience is how long Start tries to undo what it no longer wants.
const abandonPatience = 5 * time.Second

// Start writes the spec into dir and starts `self holder <dir>` as a process of its own. It returns when the
// child runs and the socket answers, or with the reason why not; if ctx ends first, nothing is left running.
//
// The holder is nobody's child but init's, so that it neither dies nor waits to be reaped with the host agent.
func Start(ctx context.Context, self, dir string, spec Spec) error {
	if err := spec.check(); err != nil {
		return fmt.Errorf("start session %s: %w", spec.Session, err)
	}
	if err := start(ctx, self, dir, spec); err != nil {
		return fmt.Errorf("start session %s: %w", spec.Session, err)
	}
	return nil
}

func start(ctx context.Context, self, dir string, spec Spec) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the session's directory: %w", err)
	}
	if Alive(dir) {
		return errors.New("another holder runs this session")
	}
	if err := spec.write(dir); err != nil {
		return err
	}
	word, wordOut, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer word.Close()
	err = spawn(ctx, self, dir, wordOut)
	wordOut.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = word.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	said, err := io.ReadAll(io.LimitReader(word, 4<<10))
	if err != nil {
		word.Close() // the holder gives up when it finds nobody to hear its word
		abandon(dir)
		return errors.Join(ctx.Err(), err)
	}
	switch reason := strings.TrimSpace(string(said)); reason {
	case running:
		return nil
	case "":
		return fmt.Errorf("the holder ended without a word; see %s", filepath.Join(dir, logFile))
	default:
		return errors.New(reason)
	}
}

// spawn lets a shell start the holder in the background of a new session and end: a parent that is sure to die.
func spawn(ctx context.Context, self, dir string, stdout *os.File) error {
	log, err := os.OpenFile(filepath.Join(dir, logFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the holder's log: %w", err)
	}
	defer log.Close()
	shell := exec.CommandContext(ctx, "/bin/sh", "-c", `"$@" &`, "sh", self, "holder", dir)
	shell.Dir = "/"
	shell.Env = append(os.Environ(), "GOMAXPROCS=1") // see rest; to give up a second one later would cost 300 KiB
	shell.Stdout, shell.Stderr = stdout, log
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := shell.Run(); err != nil {
		return fmt.Errorf("start the holder: %w", err)
	}
	return nil
}

// abandon ends a holder that came up when nobody wanted it any more.
func abandon(dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), abandonPatience)
	defer cancel()
	client, err := Dial(ctx, dir)
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	_ = client.Signal(ctx, syscall.SIGKILL)
}
