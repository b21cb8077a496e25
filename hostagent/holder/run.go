package holder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"switchboard/hostagent/socket"
	"switchboard/hostagent/terminal"
)

const (
	drainQuiet = 100 * time.Millisecond // after the child's exit, output is over when none came for so long
	drainLimit = 2 * time.Second        // or what has come by then: something else may have the terminal open
	hangUpWait = 5 * time.Second        // between SIGHUP and SIGKILL
	lastWords  = 2 * time.Second        // for viewers and followers to take what is left
	answerWait = time.Second            // for the child to read an answer to its question
)

// Run is the holder process. It returns when the child has exited and its last output is recorded. If ctx ends,
// or the process is told to (SIGTERM, SIGINT, SIGHUP), it hangs up on the child first.
//
// Its standard output is for Start, and closed after one line: that the child runs, or why not.
func Run(ctx context.Context, dir string) error {
	quieten()
	told, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	ctx, giveUp := context.WithCancel(told)
	defer giveUp()
	h, listener, err := open(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return err
	}
	h.told = told
	if _, err := fmt.Fprintln(os.Stdout, running); err != nil {
		giveUp() // whoever started this has gone
	}
	os.Stdout.Close()
	return h.run(listener)
}

// quieten makes this process small and deaf. A shell that starts something in the background lets it ignore
// SIGINT; a signal that is asked for here is not ignored, and so not in the child either, which inherits what is
// ignored. SIGPIPE must not kill this process when a peer goes away.
func quieten() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}

// open starts the child with everything around it. It undoes all if any of it fails. The child lives as long as
// ctx.
func open(ctx context.Context, dir string) (h *holder, listener net.Listener, err error) {
	spec, err := readSpec(dir)
	if err != nil {
		return nil, nil, err
	}
	h = &holder{
		dir:       dir,
		log:       slog.New(slog.NewTextHandler(os.Stderr, nil)).With("session", spec.Session),
		typing:    make(chan struct{}, 1),
		box:       make(chan struct{}, 1),
		came:      make(chan struct{}, 1),
		questions: make(chan []byte, answersKept),
		rest:      newRest(),
		startedAt: time.Now(),
		finished:  make(chan struct{}),
		screen:    terminal.New(spec.Cols, spec.Rows),
		cols:      spec.Cols,
		rows:      spec.Rows,
		viewers:   map[*viewer]bool{},
	}
	h.ended, h.end = context.WithCancel(context.Background())
	h.hooks.held = map[HookID]*heldHook{}
	h.screen.Reply = h.answerQuestion
	if h.journal, err = openJournal(dir); err != nil {
		return nil, nil, err
	}
	if listener, err = socket.Listen(ctx, dir, socketFile); err != nil {
		return nil, nil, errors.Join(err, h.journal.close())
	}
	if err = h.startChild(ctx, spec); err != nil {
		return nil, nil, errors.Join(err, listener.Close(), h.journal.close())
	}
	return h, listener, nil
}

// startChild starts the child and journals it, or leaves nothing behind.
func (h *holder) startChild(ctx context.Context, spec Spec) error {
	recorder, err := spec.record(h.dir)
	if err != nil {
		return err
	}
	h.recorder = recorder
	h.command = exec.CommandContext(ctx, spec.Argv[0], spec.Argv[1:]...)
	h.command.Cancel, h.command.WaitDelay = h.hangUp, hangUpWait
	h.command.Env, h.command.Dir = spec.Env, spec.WorkingDir
	if h.command.Env == nil {
		h.command.Env = []string{} // nil would be this process's own
	}
	if h.pty, err = terminal.StartPTY(h.command, spec.Cols, spec.Rows); err != nil {
		return errors.Join(err, recorder.Close(0))
	}
	if _, err = h.journal.append(KindStarted, Started{PID: h.command.Process.Pid, Boot: Boot(), Why: spec.Why}); err != nil {
		_ = h.pty.Signal(syscall.SIGKILL)
		_ = h.command.Wait()
		return errors.Join(err, h.pty.Close(), recorder.Close(0))
	}
	return nil
}

// run serves until the child has exited.
func (h *holder) run(listener net.Listener) error {
	h.log.Info("child started", "pid", h.command.Process.Pid)
	serving, endServing := context.WithCancel(context.Background())
	defer endServing()
	var group sync.WaitGroup
	served := make(chan struct{})
	group.Go(func() {
		defer close(served)
		h.serve(serving, listener)
	})
	group.Go(func() { h.typeAnswers(serving) })
	outputOver := make(chan struct{})
	draining := make(chan struct{})
	group.Go(func() {
		defer close(outputOver)
		h.takeOutput(draining)
	})
	exited := h.waitForChild()
	close(draining)
	h.drain(outputOver)
	h.rest.timer.Stop()
	h.end()
	closeErr := h.recorder.Close(shellStatus(exited))
	h.hooks.release()
	exited.HolderEnded = h.told.Err() != nil
	_, journalErr := h.journal.append(KindExited, exited)
	h.log.Info("child exited", "code", exited.Code, "signal", exited.Signal)
	listener.Close() // removes the socket, too, before followers learn that there is no more
	close(h.finished)
	select {
	case <-served:
	case <-time.After(lastWords): // somebody does not take his last words
	}
	endServing()
	group.Wait()
	return errors.Join(closeErr, journalErr, h.journal.close())
}

// waitForChild returns how the child ended.
func (h *holder) waitForChild() Exited {
	_ = h.command.Wait() // ProcessState says more than the error
	state := h.command.ProcessState
	exited := Exited{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exited.Signal = status.Signal().String()
	}
	return exited
}

// hangUp is what happens to the child when this process is told to end. What ignores it is killed hangUpWait
// later.
func (h *holder) hangUp() error {
	h.log.Info("hanging up on the child")
	return syscall.Kill(-h.command.Process.Pid, syscall.SIGHUP) // it leads its own group
}

// shellStatus is the exit status as a recording has it: one number.
func shellStatus(e Exited) int { return max(e.Code, 0) }

// drain waits for the child's last output, then hangs up on whatever else has the terminal open.
func (h *holder) drain(outputOver <-chan struct{}) {
	_ = h.pty.SetReadDeadline(time.Now().Add(drainQuiet))
	<-outputOver
	_ = h.pty.Close()
}

// typeAnswers types the screen model's answers to the child's questions.
func (h *holder) typeAnswers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case answer := <-h.questions:
			patience, cancel := context.WithTimeout(ctx, answerWait)
			if err := h.write(patience, answer); err != nil {
				h.log.Debug("child does not read the answer to its question", "err", err)
			}
			cancel()
		}
	}
}

// write types p with nothing in between.
func (h *holder) write(ctx context.Context, p []byte) error {
	letGo, err := h.takeTyping(ctx)
	if err != nil {
		return err
	}
	defer letGo()
	defer h.countInput()
	return h.pty.Write(ctx, p)
}

func (h *holder) takeTyping(ctx context.Context) (letGo func(), err error) {
	select {
	case h.typing <- struct{}{}:
		return func() { <-h.typing }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("type: somebody else is typing: %w", ctx.Err())
	}
}
