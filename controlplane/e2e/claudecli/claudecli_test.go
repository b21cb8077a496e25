package claudecli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/e2e/project"
)

// place is a home, a project and a scripted model for the real CLI.
type place struct {
	cli, project string
	env          []string
	model        *model.Server
}

func newPlace(t *testing.T) place {
	t.Helper()
	cli, err := claudecli.Find(os.Getenv)
	if errors.Is(err, claudecli.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := new(model.Server)
	endpoint, err := server.Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := endpoint.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(t.TempDir(), "web-app")
	if err := project.Make(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	home := claudecli.Home{Dir: t.TempDir(), CLI: cli}
	if err := home.Seed(dir); err != nil {
		t.Fatal(err)
	}
	return place{cli: cli, project: dir, env: home.Environment(endpoint.URL, os.Getenv("PATH")), model: server}
}

func TestVersion(t *testing.T) {
	p := newPlace(t)
	cmd := exec.CommandContext(t.Context(), p.cli, "--version")
	cmd.Env = p.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(out), claudecli.Version) {
		t.Errorf("version %q, want %s", out, claudecli.Version)
	}
}

func TestHeadless(t *testing.T) {
	p := newPlace(t)
	tests := []struct{ name, prompt, want string }{
		{"script", "fake:bash ls ;; fake:text all finished", "all finished"},
		{"list the files", "Which files are there?", "index.html"},
	}
	var prompts []string
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), p.cli, "-p", test.prompt)
			cmd.Dir, cmd.Env = p.project, p.env
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(out), test.want) {
				t.Errorf("the CLI said %q, want %q in it", out, test.want)
			}
		})
		prompts = append(prompts, test.prompt)
	}
	if diff := cmp.Diff(prompts, p.model.Prompts()); diff != "" {
		t.Errorf("prompts differ (-want +got):\n%s", diff)
	}
}

// TestTerminal approves a command in the CLI's own dialog.
func TestTerminal(t *testing.T) {
	p := newPlace(t)
	cmd := exec.CommandContext(t.Context(), p.cli, "--permission-mode", "manual")
	cmd.Dir, cmd.Env = p.project, p.env
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	var screen output
	var reader sync.WaitGroup
	reader.Go(func() { screen.readFrom(terminal) })
	t.Cleanup(func() {
		// The CLI ends when its terminal is closed.
		_ = terminal.Close()
		_ = cmd.Wait()
		reader.Wait()
	})

	screen.await(t, "manual mode on")
	// A prompt, and Ctrl-X Enter, which submits and does nothing else.
	write(t, terminal, "\x1b[200~please run the tests\x1b[201~")
	await(t, "the prompt to arrive", func() bool {
		write(t, terminal, "\x18\r")
		return len(p.model.Prompts()) > 0
	})
	screen.await(t, "Do you want to proceed?")
	// The dialog ignores keys for its first moments, so "1" is repeated until it works.
	await(t, "the command to run", func() bool {
		write(t, terminal, "1")
		_, err := os.Stat(filepath.Join(p.project, project.TestsRan))
		return err == nil
	})
	screen.await(t, "1 test passed")
}

func write(t *testing.T, terminal *os.File, keys string) {
	t.Helper()
	if _, err := terminal.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// output is all that a program has written to its terminal.
type output struct {
	mu   sync.Mutex // guards the field below
	text bytes.Buffer
}

func (o *output) readFrom(terminal *os.File) {
	chunk := make([]byte, 32<<10)
	for {
		n, err := terminal.Read(chunk)
		o.mu.Lock()
		o.text.Write(chunk[:n])
		o.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await waits for words, between which the CLI moves the cursor instead of writing spaces.
func (o *output) await(t *testing.T, words string) {
	t.Helper()
	await(t, words, func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		rest := o.text.Bytes()
		for word := range strings.FieldsSeq(words) {
			_, after, found := bytes.Cut(rest, []byte(word))
			if !found {
				return false
			}
			rest = after
		}
		return true
	})
}

// await asks again until done says yes.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
