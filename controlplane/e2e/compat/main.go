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
	"runtime"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/command"
	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func main() { command.Main("compat", run) }

// options is the command line.
type options struct {
	Only     []string `help:"Try only the rows of these names."`
	Parallel int      `default:"3" help:"How many rows at a time."`
	Keep     string   `type:"existingdir" help:"Keep the matrix in this directory."`
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	if served, err := stage.Serve(args, os.Stdin, stdout); served {
		return err
	}
	var o options
	if err := command.Parse("compat", &o, args, stdout, stderr); err != nil {
		return err
	}
	cli, err := claudecli.Find(getenv)
	if err != nil {
		return err
	}
	proof := agentkind.Proof{Platform: runtime.GOOS + "/" + runtime.GOARCH, Date: time.Now().UTC().Format(time.DateOnly)}
	if proof.Version, err = claudecli.VersionOf(ctx, cli); err != nil {
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
	house, err := stage.Open(ctx, cli)
	if err != nil {
		return nil, err
	}
	u := &suite{house: house, parallel: parallel, done: done}
	found, err := u.run(ctx, rows)
	return found, errors.Join(err, house.Close())
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
