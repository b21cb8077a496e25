package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a program that runs, with all that it has written.
type Process struct {
	PID int

	cmd    *exec.Cmd
	output *log
	done   chan struct{} // closed when the process has ended
	err    error         // valid when done is closed
}

// log collects what a program writes, in the order in which it came.
type log struct {
	mu   sync.Mutex // guards the field below
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startProcess starts a program in a process group of its own, so that a signal meant for it reaches no other.
func startProcess(dir string, env []string, name string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(name, args...), output: new(log), done: make(chan struct{})} //nolint:noctx // it outlives the call; Stop and Kill end it
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What a killed program has started may hold its output open; that is no reason to wait.
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.PID = p.cmd.Process.Pid
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// StartProcess starts a program that is none of ours, beside which ours run.
func StartProcess(dir string, env []string, name string, args ...string) (*Process, error) {
	return startProcess(dir, env, name, args...)
}

// Freeze stops the program as a machine that hangs does, until Thaw. One that has ended is left as it is.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw lets a frozen program go on.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Output is all that the program has written so far.
func (p *Process) Output() string { return p.output.String() }

// Running reports whether the program runs; a nil one does not.
func (p *Process) Running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Kill ends the program at once, as kill -9 does, and what it started lives on.
func (p *Process) Kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// stopWithin is how long a program may take to end after Ctrl-C.
const stopWithin = 30 * time.Second

// Stop ends the program as Ctrl-C does. A program that does not end is killed, which is an error.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		return errors.Join(fmt.Errorf("%s did not end within %s of an interrupt", p.cmd.Path, stopWithin), p.Kill())
	}
	if p.err != nil && !errors.Is(p.err, exec.ErrWaitDelay) {
		return fmt.Errorf("stopping %s: %w: %s", p.cmd.Path, p.err, tail(p.Output()))
	}
	return nil
}

// awaitLine waits until the program has written a line that matches, and returns what the first group caught.
func (p *Process) awaitLine(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	var caught string
	err := Await(ctx, fmt.Sprintf("a line like %q", pattern), func(context.Context) (bool, error) {
		// Whether it runs is asked first, so that its last words are read.
		running := p.Running()
		if match := pattern.FindStringSubmatch(p.Output()); match != nil {
			caught = match[len(match)-1]
			return true, nil
		}
		if !running {
			return false, fmt.Errorf("%s has ended: %w", p.cmd.Path, errors.Join(p.err, errEnded))
		}
		return false, nil
	})
	if err != nil {
		return "", fmt.Errorf("%w; it wrote: %s", err, tail(p.Output()))
	}
	return caught, nil
}

var errEnded = errors.New("it runs no more")

// last is the process that was started last; nil if none was.
func last(processes []*Process) *Process {
	if len(processes) == 0 {
		return nil
	}
	return processes[len(processes)-1]
}

func outputs(processes []*Process) string {
	var all strings.Builder
	for _, p := range processes {
		all.WriteString(p.Output())
	}
	return all.String()
}

// tail is the end of a long text, for an error.
func tail(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	_, rest, _ := strings.Cut(text[len(text)-most:], "\n")
	return "…\n" + rest
}
