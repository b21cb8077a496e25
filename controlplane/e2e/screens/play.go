package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"switchboard/hostagent/terminal"
)

// The size of every recording. The test of the screen model knows it too.
const (
	cols = 120
	rows = 40
)

const (
	quiet    = 250 * time.Millisecond // a program that writes nothing for so long has drawn all
	patience = 2 * time.Second        // some never stop
	waiting  = 30 * time.Second       // for words that must come
)

// played is a program on a terminal, with the screen model to answer its questions as a session's does.
type played struct {
	pty *terminal.PTY

	mu     sync.Mutex // guards the fields below
	screen *terminal.Terminal
	text   []byte
	last   time.Time
}

// play runs the program through its steps and returns what it wrote.
func (h *home) play(ctx context.Context, p program) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Env = h.project(), h.environment()
	pty, err := terminal.StartPTY(cmd, cols, rows)
	if err != nil {
		return nil, err
	}
	run := &played{pty: pty, screen: terminal.New(cols, rows), last: time.Now()}
	answers := make(chan []byte, 64)
	run.screen.Reply = func(answer []byte) {
		select {
		case answers <- bytes.Clone(answer):
		default:
		}
	}
	var group sync.WaitGroup
	group.Go(run.read)
	group.Go(func() {
		for answer := range answers {
			_ = pty.Write(ctx, answer) // the program has gone, then
		}
	})
	err = run.steps(ctx, p.steps)
	_ = pty.Signal(syscall.SIGHUP) // an error: it has gone already
	_ = cmd.Wait()
	_ = pty.Close()
	run.mu.Lock()
	run.screen.Reply = nil
	close(answers)
	run.mu.Unlock()
	group.Wait()
	return run.text, err
}

func (p *played) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := p.pty.Read(buffer)
		p.mu.Lock()
		p.text = append(p.text, buffer[:n]...)
		_, _ = p.screen.Write(buffer[:n]) // never fails
		p.last = time.Now()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// steps takes the program through its steps, each once the one before has been drawn.
func (p *played) steps(ctx context.Context, steps []step) error {
	for _, step := range steps {
		if err := p.await(ctx, step.after); err != nil {
			return err
		}
		if step.pause > 0 {
			time.Sleep(step.pause)
		}
		if err := p.pty.Write(ctx, []byte(step.keys)); err != nil {
			return fmt.Errorf("press %q: %w", step.keys, err)
		}
	}
	return p.await(ctx, "")
}

// await waits until the screen has the words and is quiet.
func (p *played) await(ctx context.Context, words string) error {
	began := time.Now()
	for {
		p.mu.Lock()
		since, there := time.Since(p.last), p.has(words)
		p.mu.Unlock()
		if there && (since > quiet && time.Since(began) > quiet || time.Since(began) > patience) {
			return nil
		}
		if time.Since(began) > waiting {
			return fmt.Errorf("it does not show %q", words)
		}
		select {
		case <-ctx.Done():
			return errors.New("it takes too long")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *played) has(words string) bool {
	return words == "" || strings.Contains(strings.Join(p.screen.Screen().Lines, "\n"), words)
}
