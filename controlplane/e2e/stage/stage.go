package stage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/e2e/project"
	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/terminal"
)

// usualPatience bounds a wait, unless the scene needs more. It only decides how late a failure is noticed.
const usualPatience = time.Minute

// The size of a stage's terminal is what the host agent gives a new session.
const (
	usualCols = 120
	usualRows = 40
)

// Stage is a home, a project and the real CLI in a terminal of its own, with a scripted model behind it. What the scene
// changes it changes before it calls Start.
type Stage struct {
	ctx     context.Context
	cli     string
	env     []string
	modelAt string // its address

	Kind          agentkind.Kind
	Model         *model.Server
	Dir, Project  string
	Home          claudecli.Home
	Mode, Session string   // no mode: the person's own
	Args          []string // beside those that the host agent starts the CLI with
	Cols, Rows    int
	Patience      time.Duration
	Hooks         *Hooks

	Process   agentkind.Process
	pty       *terminal.PTY
	reader    sync.WaitGroup
	exited    chan struct{} // closed when the CLI has ended
	exitState *os.ProcessState

	mu     sync.Mutex // guards the fields below
	screen *terminal.Terminal
	drawn  time.Time // when the CLI last wrote something
}

// Fail ends the scene: the CLI is not as it must be.
func (s *Stage) Fail(format string, args ...any) {
	panic(Failure{fmt.Sprintf(format, args...)})
}

// Check ends the scene on an error that is no fault of the CLI's.
func (s *Stage) Check(err error) {
	if err != nil {
		panic(Unproven{err.Error()})
	}
}

// prepare makes the home, in which every first-run question is answered, and the project, which is trusted.
func (s *Stage) prepare(endpoint string) error {
	s.Home = claudecli.Home{Dir: filepath.Join(s.Dir, "home"), CLI: s.cli}
	s.Project = filepath.Join(s.Home.Dir, "project")
	if err := os.MkdirAll(s.Home.Dir, 0o700); err != nil {
		return fmt.Errorf("making a home: %w", err)
	}
	if err := project.Make(s.ctx, s.Project); err != nil {
		return err
	}
	if err := s.Home.Seed(s.Project); err != nil {
		return err
	}
	s.env = s.Home.Environment(endpoint, os.Getenv("PATH"))
	s.Mode, s.Session = s.Kind.DefaultMode, uuid.NewString()
	s.Hooks = &Hooks{kind: s.Kind, replies: map[string]string{}}
	return nil
}

// Start runs the CLI as the host agent does.
func (s *Stage) Start(resume bool) {
	s.Check(s.tryStart(resume))
}

func (s *Stage) tryStart(resume bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	socket := filepath.Join(s.Dir, "h")
	if s.Hooks.listener == nil {
		if err := s.Hooks.listen(socket); err != nil {
			return err
		}
	}
	settings := filepath.Join(s.Dir, "settings.json")
	if err := os.WriteFile(settings, s.Kind.Settings(hookCommand(self, socket)), 0o600); err != nil {
		return err
	}
	launch := agentkind.Launch{Session: s.Session, Resume: resume, Name: "web app", Mode: s.Mode, SettingsFile: settings}
	args := append(s.Kind.Args(launch), s.Args...)
	if mode := slices.Index(args, "--permission-mode"); s.Mode == "" {
		args = slices.Delete(args, mode, mode+2)
	}
	cmd := exec.CommandContext(s.ctx, s.cli, args...)
	cmd.Dir, cmd.Env = s.Project, s.env
	return s.run(cmd)
}

// StartBare runs the CLI as a person does who knows nothing of us.
func (s *Stage) StartBare() {
	cmd := exec.CommandContext(s.ctx, s.cli, "--permission-mode", s.Mode)
	cmd.Dir, cmd.Env = s.Project, s.env
	s.Check(s.run(cmd))
}

func (s *Stage) run(cmd *exec.Cmd) error {
	started := time.Now()
	tty, err := terminal.StartPTY(cmd, s.Cols, s.Rows)
	if err != nil {
		return err
	}
	s.pty, s.exited = tty, make(chan struct{})
	s.Process = agentkind.Process{PID: cmd.Process.Pid, Session: s.Session, StartedAt: started, Getenv: s.getenv}
	s.mu.Lock()
	s.screen, s.drawn = terminal.New(s.Cols, s.Rows), started
	s.screen.Reply = func(answer []byte) { _ = tty.Write(s.ctx, answer) }
	s.mu.Unlock()
	s.reader.Go(s.read)
	exited := s.exited
	s.reader.Go(func() {
		_ = cmd.Wait() // how it ended is in its state
		s.exitState = cmd.ProcessState
		close(exited)
	})
	return nil
}

func (s *Stage) getenv(name string) string {
	for _, variable := range s.env {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// Setenv adds to the CLI's environment.
func (s *Stage) Setenv(variables ...string) { s.env = append(s.env, variables...) }

func (s *Stage) read() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := s.pty.Read(buffer)
		s.mu.Lock()
		if n > 0 {
			_, _ = s.screen.Write(buffer[:n])
			s.drawn = time.Now()
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Exited tells how the CLI has ended; false: not yet.
func (s *Stage) Exited() (*os.ProcessState, bool) {
	select {
	case <-s.exited:
		return s.exitState, true
	default:
		return nil, false
	}
}

// Exits waits for the CLI's end.
func (s *Stage) Exits() *os.ProcessState {
	s.Until("exit of the CLI", func() bool {
		_, ended := s.Exited()
		return ended
	})
	return s.exitState
}

// Leave ends the CLI and waits until it has gone.
func (s *Stage) Leave(signal syscall.Signal) *os.ProcessState {
	s.Check(s.pty.Signal(signal))
	state := s.Exits()
	s.Check(s.pty.Close())
	s.reader.Wait()
	return state
}

// end stops the CLI and everything around it.
func (s *Stage) end() error {
	if s.pty != nil {
		_ = s.pty.Signal(syscall.SIGKILL)
		_ = s.pty.Close()
	}
	s.reader.Wait()
	if s.Hooks.listener == nil {
		return nil
	}
	return s.Hooks.close()
}

// Path is a file in the project.
func (s *Stage) Path(name string) string { return filepath.Join(s.Project, name) }

// Made reports whether there is such a file in the project.
func (s *Stage) Made(name string) bool {
	_, err := os.Stat(s.Path(name))
	return err == nil
}
