package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The Inspector's exit codes.
const (
	fine      = 0
	authNeed  = 3
	toolError = 5
)

// cli is an Inspector with a home of its own, in which it keeps its logins.
type cli struct {
	*world
	home string
}

func (w *world) inspector(name string) (*cli, error) {
	c := &cli{world: w, home: filepath.Join(w.dir, "inspector-"+name)}
	return c, os.Mkdir(c.home, 0o755)
}

// said is what one run of the CLI wrote.
type said struct {
	out    []byte
	errors string
	logins int // how often it sent the person to a browser
}

// patience is how long one run may take. It only decides how late a failure is noticed.
const patience = time.Minute

// call runs the CLI against the control plane and wants an exit code.
func (c *cli) call(ctx context.Context, want int, args ...string) (said, error) {
	return c.exec(ctx, want, append([]string{"--server-url", c.plane.MCP(), "--transport", "http"}, args...)...)
}

// exec runs the CLI, and does what it asks of a person on its standard error.
func (c *cli) exec(ctx context.Context, want int, args ...string) (said, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args = append([]string{c.options.Inspector, "--cli", "--format", "json", "--callback-url", c.callback}, args...)
	cmd := exec.CommandContext(ctx, c.options.Node, args...)
	cmd.Env = []string{
		"HOME=" + c.home, "PATH=" + filepath.Dir(c.options.Node) + ":" + os.Getenv("PATH"), "LANG=C.UTF-8", "BROWSER=true",
		"MCP_INSPECTOR_SECRET_STORE=file", "MCP_AUTO_OPEN_ENABLED=true", "NODE_EXTRA_CA_CERTS=" + c.document.authority,
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return said{}, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return said{}, err
	}
	if err := cmd.Start(); err != nil {
		return said{}, err
	}
	s, personal := c.attend(ctx, stderr, stdin)
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return s, err
	}
	s.out = out.Bytes()
	if got := cmd.ProcessState.ExitCode(); got != want || personal != nil {
		return s, errors.Join(personal, fmt.Errorf("%s: exit code %d, want %d\n%s%s", strings.Join(args[4:], " "), got, want, s.errors, s.out))
	}
	return s, nil
}

// attend reads what the CLI says to its person, opens the addresses that it prints, and agrees to what it asks. A
// question has no end of line, so words are read instead of lines.
func (c *cli) attend(ctx context.Context, stderr io.Reader, stdin io.WriteCloser) (s said, err error) {
	defer stdin.Close()
	words := bufio.NewScanner(stderr)
	words.Buffer(nil, 1<<20)
	words.Split(scanWords)
	for words.Scan() {
		s.errors += words.Text()
		word := strings.TrimSpace(words.Text())
		switch {
		case word == "[y/N]":
			_, failed := io.WriteString(stdin, "y\n")
			err = errors.Join(err, failed)
		case strings.HasPrefix(word, c.plane.URL()+"/authorize?"):
			s.logins++
			err = errors.Join(err, c.browser.Deliver(ctx, word, c.callback))
		}
	}
	return s, errors.Join(err, words.Err())
}

// scanWords cuts behind each white space.
func scanWords(data []byte, end bool) (int, []byte, error) {
	if i := bytes.IndexAny(data, " \n"); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if end && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
