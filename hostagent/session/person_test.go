package session

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/terminal"
)

// person is somebody who runs the CLI in a terminal of his own, without us.
type person struct {
	*rig
	command *exec.Cmd
	pty     *terminal.PTY
	reader  sync.WaitGroup

	mu     sync.Mutex // guards the field below
	screen *terminal.Terminal
}

// plainCLI starts the CLI in the project.
func (r *rig) plainCLI(args ...string) *person {
	r.t.Helper()
	cli, err := claudecli.Find(os.Getenv)
	check(r.t, err)
	p := &person{rig: r, command: exec.Command(cli, args...), screen: terminal.New(firstCols, firstRows)} //nolint:noctx // ended by the test's end
	p.command.Dir, p.command.Env = r.project, r.environ
	p.pty, err = terminal.StartPTY(p.command, firstCols, firstRows)
	check(r.t, err)
	p.reader.Go(p.read)
	r.t.Cleanup(p.end)
	return p
}

func (p *person) read() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := p.pty.Read(buffer)
		p.mu.Lock()
		_, _ = p.screen.Write(buffer[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *person) shows() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.screen.Screen().Lines, "\n")
}

// writer is what the CLI says of itself; zero when it has ended.
func (p *person) writer() agentkind.Writer {
	for _, w := range agentkind.Claude().Writers(p.getenv) {
		if w.PID == p.command.Process.Pid {
			return w
		}
	}
	return agentkind.Writer{}
}

func (p *person) idle() { p.is(agentkind.ActivityIdle) }

func (p *person) is(want agentkind.Activity) {
	p.t.Helper()
	p.untilTrue("the person's CLI to be "+string(want), func() bool {
		return p.writer().Activity == want && (want != agentkind.ActivityIdle || strings.Contains(p.shows(), "❯"))
	})
}

// says types a message and waits until it is on the screen's history.
func (p *person) says(text string) {
	p.t.Helper()
	kind := agentkind.Claude()
	for _, keys := range kind.TypeMessage(text) {
		check(p.t, p.pty.Write(p.t.Context(), keys))
	}
	p.untilTrue("the message in the input box", func() bool { return strings.Contains(p.shows(), text) })
	p.untilTrue("the message's turn", func() bool {
		check(p.t, p.pty.Write(p.t.Context(), kind.Submit))
		c, err := kind.Conversations(p.getenv)
		return err == nil && len(c) > 0
	})
}

func (p *person) named() string { return fmt.Sprintf("process %d", p.command.Process.Pid) }

func (p *person) alive() bool { return p.writer().PID != 0 }

// end is what closing the terminal's window does.
func (p *person) end() {
	_ = p.command.Process.Signal(syscall.SIGKILL)
	_ = p.command.Wait()
	_ = p.pty.Close()
	p.reader.Wait()
}
