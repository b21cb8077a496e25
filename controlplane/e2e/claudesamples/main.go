// Claudesamples records what unit tests know of the Claude Code CLI: it plays scenes with the real CLI on a scripted
// model, and keeps payloads of hooks, lines of transcripts, status files and screens as files that say which version
// they are from. What differs from run to run is put into a fixed form, so that a second run leaves no diff and another
// version leaves one that can be read. `make claude-samples` runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/command"
	"switchboard/controlplane/e2e/sample"
	"switchboard/controlplane/e2e/stage"
)

func main() { command.Main("claudesamples", run) }

// options is the command line.
type options struct {
	To       string   `required:"" type:"existingdir" help:"Where the samples are written."`
	Only     []string `help:"Play only the scenes of these names."`
	Parallel int      `default:"3" help:"How many scenes at a time."`
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (err error) {
	if served, err := stage.Serve(args, os.Stdin, stdout); served {
		return err
	}
	var o options
	if err := command.Parse("claudesamples", &o, args, stdout, stderr); err != nil {
		return err
	}
	chosen := slices.DeleteFunc(scenes(), func(s scene) bool {
		return len(o.Only) > 0 && !slices.Contains(o.Only, s.name)
	})
	if len(chosen) == 0 {
		return fmt.Errorf("no scene is called %s", strings.Join(o.Only, " or "))
	}
	cli, err := claudecli.Find(getenv)
	if err != nil {
		return err
	}
	version, err := claudecli.VersionOf(ctx, cli)
	if err != nil {
		return err
	}
	house, err := stage.Open(ctx, cli)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, house.Close()) }()
	return errors.Join(o.record(ctx, house, version, chosen), forget(o.To))
}

// record plays scenes, several at a time, and goes on after one that fails.
func (o options) record(ctx context.Context, house *stage.House, version string, chosen []scene) error {
	failed := make([]error, len(chosen))
	var group errgroup.Group
	group.SetLimit(o.Parallel)
	for i, s := range chosen {
		group.Go(func() error {
			kept, err := s.record(ctx, house)
			if err == nil {
				kept.Version = version
				err = kept.Write(o.To, s.name)
			}
			if err != nil {
				failed[i] = fmt.Errorf("%s: %w", s.name, err)
			}
			return nil
		})
	}
	return errors.Join(append(failed, group.Wait())...)
}

// forget removes the samples of scenes that are played no more.
func forget(dir string) error {
	kept, err := sample.ReadAll(dir)
	for _, s := range scenes() {
		delete(kept, s.name)
	}
	for name := range kept {
		err = errors.Join(err, os.Remove(sample.Path(dir, name)))
	}
	return err
}
