package main

import (
	"context"
	"encoding/json"
	"errors"
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

// patience bounds a wait of a row's, unless the row needs more. It only decides how late a failure is noticed.
const patience = time.Minute

// The size of the stage's terminal, which is what the host agent gives a new session.
const (
	cols = 120
	rows = 40
)

// stage is a home, a project and the real CLI in a terminal of its own, with a scripted model behind it. What the row
// changes it changes before it calls start.
type stage struct {
	ctx   context.Context
	kind  agentkind.Kind
	cli   string
	model *model.Server

	dir, project  string
	home          claudecli.Home
	env           []string
	mode, session string // no mode: the person's own
	patience      time.Duration
	args          []string // beside those that the host agent starts the CLI with
	hooks         *hooks

	pty       *terminal.PTY
	process   agentkind.Process
	reader    sync.WaitGroup
	exited    chan struct{} // closed when the CLI has ended
	exitState *os.ProcessState

	mu     sync.Mutex // guards the fields below
	screen *terminal.Terminal
	raw    []byte    // all that the CLI has written
	drawn  time.Time // when it last did
}

// failure is what a row needs and did not get.
type failure struct{ reason string }

// unproven is a failure of the row, and not of the CLI.
type unproven struct{ reason string }

func (s *stage) fail(format string, args ...any) {
	panic(failure{fmt.Sprintf(format, args...)})
}

func (s *stage) check(err error) {
	if err != nil {
		panic(unproven{err.Error()})
	}
}

// prepare makes the home, in which every first-run question is answered, and the project, which is trusted.
func (s *stage) prepare(endpoint string) error {
	s.home = claudecli.Home{Dir: filepath.Join(s.dir, "home"), CLI: s.cli}
	s.project = filepath.Join(s.home.Dir, "project")
	if err := os.MkdirAll(s.home.Dir, 0o700); err != nil {
		return fmt.Errorf("making a home: %w", err)
	}
	if err := project.Make(s.ctx, s.project); err != nil {
		return err
	}
	if err := s.home.Seed(s.project); err != nil {
		return err
	}
	s.env = s.home.Environment(endpoint, os.Getenv("PATH"))
	s.mode, s.session = s.kind.DefaultMode, uuid.NewString()
	s.hooks = &hooks{kind: s.kind, replies: map[string]string{}}
	return nil
}

// start runs the CLI as the host agent does.
func (s *stage) start(resume bool) {
	s.check(s.tryStart(resume))
}

func (s *stage) tryStart(resume bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	socket := filepath.Join(s.dir, "h")
	if s.hooks.listener == nil {
		if err := s.hooks.listen(socket); err != nil {
			return err
		}
	}
	settings := filepath.Join(s.dir, "settings.json")
	if err := os.WriteFile(settings, s.kind.Settings(hookCommand(self, socket)), 0o600); err != nil {
		return err
	}
	launch := agentkind.Launch{Session: s.session, Resume: resume, Name: "web app", Mode: s.mode, SettingsFile: settings}
	args := append(s.kind.Args(launch), s.args...)
	if mode := slices.Index(args, "--permission-mode"); s.mode == "" {
		args = slices.Delete(args, mode, mode+2)
	}
	cmd := exec.CommandContext(s.ctx, s.cli, args...)
	cmd.Dir, cmd.Env = s.project, s.env
	started := time.Now()
	tty, err := terminal.StartPTY(cmd, cols, rows)
	if err != nil {
		return err
	}
	s.pty, s.exited = tty, make(chan struct{})
	s.process = agentkind.Process{PID: cmd.Process.Pid, Session: s.session, StartedAt: started, Getenv: s.getenv}
	s.mu.Lock()
	s.screen, s.raw, s.drawn = terminal.New(cols, rows), nil, started
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

func (s *stage) getenv(name string) string {
	for _, variable := range s.env {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

func (s *stage) setenv(variables ...string) { s.env = append(s.env, variables...) }

func (s *stage) read() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := s.pty.Read(buffer)
		s.mu.Lock()
		if n > 0 {
			_, _ = s.screen.Write(buffer[:n])
			s.raw = append(s.raw, buffer[:n]...)
			s.drawn = time.Now()
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// end stops the CLI and everything around it.
func (s *stage) end() error {
	if s.pty != nil {
		_ = s.pty.Signal(syscall.SIGKILL)
		_ = s.pty.Close()
	}
	s.reader.Wait()
	if s.hooks.listener == nil {
		return nil
	}
	return s.hooks.close()
}

// until waits for a condition that the row needs.
func (s *stage) until(what string, met func() bool) {
	deadline := time.Now().Add(s.patience)
	for !met() {
		if time.Now().After(deadline) {
			s.fail("no %s after %s; the screen shows:\n%s", what, s.patience, s.excerpt())
		}
		s.sleep(20 * time.Millisecond)
	}
}

func (s *stage) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
		s.check(s.ctx.Err())
	}
}

// keys types, as a person or the host agent does.
func (s *stage) keys(keys string) { s.check(s.pty.Write(s.ctx, []byte(keys))) }

func (s *stage) shown() terminal.Screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Screen()
}

func (s *stage) text() string { return strings.Join(s.shown().Lines, "\n") }

// excerpt is what stands on the screen, short enough for a table.
func (s *stage) excerpt() string {
	const most = 12
	var lines []string
	for _, line := range s.shown().Lines {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// line is the first line on the screen that has the words.
func (s *stage) line(words string) string {
	for _, line := range s.shown().Lines {
		if strings.Contains(line, words) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func (s *stage) shows(words string) {
	s.until(fmt.Sprintf("%q on the screen", words), func() bool { return strings.Contains(s.text(), words) })
}

// quiet waits until nothing has been drawn for d.
func (s *stage) quiet(d time.Duration) {
	s.until("quiet screen", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return time.Since(s.drawn) >= d
	})
}

// status is what the CLI's own file says.
func (s *stage) status() agentkind.Status {
	status, _ := s.kind.ReadStatus(s.process)
	return status
}

func (s *stage) becomes(want agentkind.Activity) agentkind.Status {
	s.until("status "+string(want), func() bool { return s.status().Activity == want })
	return s.status()
}

// ready starts the CLI and waits until it is idle.
func (s *stage) ready() {
	s.start(false)
	s.idle()
}

func (s *stage) idle() {
	s.hook("SessionStart", 1)
	s.becomes(agentkind.ActivityIdle)
	s.until("an input box", func() bool { return strings.Contains(s.text(), "❯") })
}

// hook waits for the n-th hook of an event, from 1.
func (s *stage) hook(event string, n int) *fired {
	s.until(fmt.Sprintf("hook %s (number %d); fired: %s", event, n, strings.Join(s.hooks.events(), " ")), func() bool { return len(s.hooks.of(event)) >= n })
	return s.hooks.of(event)[n-1]
}

// fields checks that a payload has these fields, not empty, and returns a few words of evidence.
func (s *stage) fields(f *fired, names ...string) string {
	var got map[string]json.RawMessage
	s.check(json.Unmarshal(f.payload, &got))
	var missing []string
	for _, name := range names {
		if value := string(got[name]); value == "" || value == `""` || value == "null" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		s.fail("%s has no %s: %s", f.event, strings.Join(missing, ", "), f.payload)
	}
	return f.event + " with " + strings.Join(names, ", ")
}

// send types a message as the host agent does, and waits for its receipt.
func (s *stage) send(text string) *fired {
	n := len(s.hooks.of("UserPromptSubmit"))
	s.typeIn(text)
	return s.receipt(n + 1)
}

// typeIn types a message and submits it, without looking for its receipt.
func (s *stage) typeIn(text string) {
	clean, err := s.kind.CleanMessage(text)
	s.check(err)
	s.keys(string(s.kind.TypeMessage(clean)))
	s.settle()
	s.keys(string(s.kind.Submit))
}

// settle waits as the host agent does until the CLI has taken in what was typed.
func (s *stage) settle() {
	for range 100 {
		s.mu.Lock()
		drawn := s.drawn
		s.mu.Unlock()
		if time.Since(drawn) >= 120*time.Millisecond {
			return
		}
		s.sleep(20 * time.Millisecond)
	}
}

// receipt waits for the n-th receipt; under load the CLI misses a submit now and then, which is pressed once more.
func (s *stage) receipt(n int) *fired {
	again := time.Now().Add(1500 * time.Millisecond)
	s.until("receipt", func() bool {
		if len(s.hooks.of("UserPromptSubmit")) < n && time.Now().After(again) && s.status().Activity == agentkind.ActivityIdle {
			s.keys(string(s.kind.Submit))
			again = again.Add(time.Minute)
		}
		return len(s.hooks.of("UserPromptSubmit")) >= n
	})
	return s.hooks.of("UserPromptSubmit")[n-1]
}

// read parses a payload as the host agent does.
func (s *stage) parse(f *fired) agentkind.Hook {
	hook, err := s.kind.ReadHook(f.payload)
	if err != nil {
		s.fail("%s is not understood: %v: %s", f.event, err, f.payload)
	}
	return hook
}

// reply answers a held hook as the host agent does.
func (s *stage) reply(f *fired, answer agentkind.Answer) {
	answer.Actor = "Alice"
	text, err := s.kind.Reply(f.payload, answer)
	if err != nil {
		s.fail("%s cannot be answered: %v: %s", f.event, err, f.payload)
	}
	s.check(f.answer(text))
}

// ask sends a message whose script opens a dialog, and waits for its hook.
func (s *stage) ask(script string) *fired {
	n := len(s.hooks.of(s.kind.HeldHook))
	s.send(script)
	return s.hook(s.kind.HeldHook, n+1)
}

// transcript reads the conversation's file as the host agent does.
func (s *stage) transcript() []agentkind.Line {
	started := s.hooks.of("SessionStart")
	path := s.parse(started[len(started)-1]).Transcript
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	s.check(err)
	var all []agentkind.Line
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		lines, err := s.kind.ReadTranscript([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			s.fail("a line of the transcript is not understood: %v: %.200s", err, line)
		}
		all = append(all, lines...)
	}
	return all
}

// tells waits for a line of the transcript.
func (s *stage) tells(what string, met func(agentkind.Line) bool) agentkind.Line {
	var found agentkind.Line
	s.until(what+" in the transcript", func() bool {
		for _, line := range s.transcript() {
			if met(line) {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// exits waits for the CLI's end.
func (s *stage) exits() *os.ProcessState {
	s.until("exit of the CLI", func() bool {
		select {
		case <-s.exited:
			return true
		default:
			return false
		}
	})
	return s.exitState
}

func (s *stage) path(name string) string { return filepath.Join(s.project, name) }

func (s *stage) made(name string) bool {
	_, err := os.Stat(s.path(name))
	return err == nil
}
