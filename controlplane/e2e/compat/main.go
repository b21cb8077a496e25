// Compat tries every behaviour of the Claude Code CLI that the host agent relies on: the real CLI in a terminal, with a
// scripted model behind it. It prints a matrix, and keeps it where the host agent is built with it, so that what a
// version breaks is withheld instead of failing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/model"
	"switchboard/hostagent/agentkind"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		os.Exit(1)
	}
}

// options is the command line.
type options struct {
	Only     []string `help:"Try only the rows of these names."`
	Parallel int      `default:"3" help:"How many rows at a time."`
	Keep     string   `type:"existingdir" help:"Keep the matrix in this directory."`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	switch {
	case isHook(args):
		return runHook(args)
	case slices.Equal(args, []string{"asker"}):
		return serveElicitation(os.Stdin, stdout)
	}
	var o options
	parser, err := kong.New(&o, kong.Name("compat"), kong.Writers(stdout, stderr))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	cli, err := claudecli.Find(os.Getenv)
	if err != nil {
		return err
	}
	proof := agentkind.Proof{Platform: runtime.GOOS + "/" + runtime.GOARCH, Date: time.Now().UTC().Format(time.DateOnly)}
	if proof.Version, err = version(ctx, cli); err != nil {
		return err
	}
	if o.Keep != "" && len(o.Only) > 0 {
		return errors.New("only a whole matrix can be kept")
	}
	rows := slices.DeleteFunc(table(), func(r row) bool {
		return len(o.Only) > 0 && !slices.Contains(o.Only, r.name)
	})
	if len(rows) == 0 {
		return fmt.Errorf("no row is called %s", strings.Join(o.Only, " or "))
	}
	proof.Rows, err = try(ctx, cli, rows, o.Parallel, func(r agentkind.Row) { printRow(stdout, r) })
	if err != nil {
		return err
	}
	if err := summarize(stdout, proof); err != nil {
		return err
	}
	if o.Keep != "" {
		if err := keep(o.Keep, proof); err != nil {
			return err
		}
	}
	return broken(proof)
}

// try plays rows with a model of their own.
func try(ctx context.Context, cli string, rows []row, parallel int, done func(agentkind.Row)) ([]agentkind.Row, error) {
	server := new(model.Server)
	endpoint, err := server.Start(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &suite{cli: cli, parallel: parallel, model: server, endpoint: endpoint.URL, done: done}
	found, err := u.run(ctx, rows)
	return found, errors.Join(err, endpoint.Close())
}

// broken is an error if a row has not passed.
func broken(proof agentkind.Proof) error {
	var names []string
	for _, r := range proof.Rows {
		if r.Result != agentkind.Pass {
			names = append(names, r.Name)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("%d of %d rows have not passed: %s", len(names), len(proof.Rows), strings.Join(names, ", "))
	}
	return nil
}

func version(ctx context.Context, cli string) (string, error) {
	out, err := exec.CommandContext(ctx, cli, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking the CLI for its version: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return "", fmt.Errorf("the CLI says no version: %q", out)
	}
	return words[0], nil
}
