package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"switchboard/controlplane/e2e/harness"
)

// TestFirstAnswerWins answers one prompt in several places. The first answer counts, and the others learn of it.
func TestFirstAnswerWins(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})

	t.Run("at the terminal", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:bash touch typed.txt ;; text done")
		asked := w.admin.awaitPrompt(t, s.ID)
		terminal := attach(t, mac, "web-app")
		terminal.await(t, "Do you want to proceed?")
		// The dialog ignores keys for its first moments.
		await(t, "the command to run", func(context.Context) (bool, error) {
			if _, err := os.Stat(filepath.Join(mac.Project(), "typed.txt")); err == nil {
				return true, nil
			}
			_, err := terminal.file.WriteString("1")
			return false, err
		})
		await(t, "the prompt to be settled", func(ctx context.Context) (bool, error) {
			var list promptList
			err := w.admin.Call(ctx, "check_prompts", args{"session_id": s.ID}, &list)
			return len(list.Prompts) == 0, err
		})
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": asked.ID, "response": "no"}, "terminal")
		terminal.leave(t)
		awaitState(t, w.admin, s.ID, "idle")
	})
	t.Run("on the web page", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:bash touch pressed.txt ;; text done")
		asked := w.admin.awaitPrompt(t, s.ID)
		page, err := w.admin.browser.PressOn(t.Context(), "/sessions/"+s.ID, "yes", nil)
		must(t, err)
		if page.Status != http.StatusOK {
			t.Errorf("answering on the page: %d %s", page.Status, page.Text())
		}
		awaitFile(t, filepath.Join(mac.Project(), "pressed.txt"))
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": asked.ID, "response": "no"}, "alice")
		awaitState(t, w.admin, s.ID, "idle")
	})
	t.Run("32 at once", func(t *testing.T) {
		// A terminal that was attached may have left keys in the agent's input box, which are no message of ours.
		w.admin.send(t, s.ID, "fake:bash echo x >> counted.txt ;; text done")
		asked := w.admin.awaitPrompt(t, s.ID)
		answers := make([]*harness.Answer, 32)
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() {
				var err error
				answers[i], err = harness.CallRaw(t.Context(), w.plane.MCP(), w.admin.tokens.Access, "respond_to_prompt",
					args{"prompt_id": asked.ID, "response": "yes"})
				expect(t, err)
			})
		}
		group.Wait()
		won := 0
		for _, answer := range answers {
			if answer != nil && answer.Status == http.StatusOK && !answer.Result.IsError {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%d of 32 answers were taken, want 1", won)
		}
		awaitState(t, w.admin, s.ID, "idle")
		text, err := os.ReadFile(filepath.Join(mac.Project(), "counted.txt"))
		must(t, err)
		if string(text) != "x\n" {
			t.Errorf("the command ran %d times", bytes.Count(text, []byte("\n")))
		}
	})
}

// attached is a person's terminal on a host, and what runs in it: the host agent's attach, mostly.
type attached struct {
	file *os.File
	cmd  *exec.Cmd
	read sync.WaitGroup

	mu     sync.Mutex // guards the field below
	output bytes.Buffer
}

// attach opens a session in a terminal on its host.
func attach(t *testing.T, h *harness.Host, ref string) *attached {
	t.Helper()
	return inTerminal(t, h, h.Programs.HostAgent, "attach", ref)
}

// inTerminal runs a program as a person does who sits at the host, in the project.
func inTerminal(t *testing.T, h *harness.Host, program string, arguments ...string) *attached {
	t.Helper()
	a := &attached{cmd: exec.CommandContext(t.Context(), program, arguments...)}
	a.cmd.Env, a.cmd.Dir = h.Environment(), h.Project()
	var err error
	a.file, err = pty.StartWithSize(a.cmd, &pty.Winsize{Rows: 40, Cols: 120})
	must(t, err)
	a.read.Go(func() {
		chunk := make([]byte, 32<<10)
		for {
			n, err := a.file.Read(chunk)
			a.mu.Lock()
			a.output.Write(chunk[:n])
			a.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	return a
}

// await waits for words, between which a terminal may move its cursor instead of writing spaces.
func (a *attached) await(t *testing.T, words string) {
	t.Helper()
	await(t, fmt.Sprintf("%q on the terminal", words), func(context.Context) (bool, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		rest := a.output.String()
		for word := range strings.FieldsSeq(words) {
			_, after, found := strings.Cut(rest, word)
			if !found {
				return false, errors.New(a.output.String())
			}
			rest = after
		}
		return true, nil
	})
}

// leave ends the terminal as closing its window does. The session stays.
func (a *attached) leave(t *testing.T) {
	t.Helper()
	must(t, a.cmd.Process.Signal(syscall.SIGHUP))
	_ = a.cmd.Wait() // how it ends when its terminal is gone does not matter
	a.read.Wait()
	must(t, a.file.Close())
}
