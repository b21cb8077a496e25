package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/model"
	"switchboard/hostagent/agentkind"
)

// row is one behaviour of the CLI's that we rely on. Its check reads as a test does: what it needs and does not get ends
// it. It returns the evidence.
type row struct {
	name    string
	relies  string            // one sentence
	feature agentkind.Feature // falls with the row; empty: nothing
	check   func(*stage) (evidence string)
}

// table lists every row.
func table() []row {
	return slices.Concat(startRows(), messageRows(), promptRows(), stateRows(), lifeRows())
}

// suite tries rows against one CLI.
type suite struct {
	cli      string
	parallel int
	model    *model.Server
	endpoint string
	done     func(agentkind.Row) // called as each row ends, by one at a time
}

// run tries the rows, several at a time, and returns what was found in their order.
func (u *suite) run(ctx context.Context, rows []row) ([]agentkind.Row, error) {
	found := make([]agentkind.Row, len(rows))
	ended := make(chan int, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(u.parallel + 1)
	group.Go(func() error {
		for range rows {
			select {
			case i := <-ended:
				u.done(found[i])
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for i, r := range rows {
		group.Go(func() error {
			result, err := u.try(ctx, r)
			found[i] = result
			ended <- i
			return err
		})
	}
	return found, group.Wait()
}

// attempts: a row that fails is tried again, so that a machine that was busy for a moment is not taken for a CLI that
// has changed.
const attempts = 2

func (u *suite) try(ctx context.Context, r row) (agentkind.Row, error) {
	for attempt := 1; ; attempt++ {
		started := time.Now()
		result, evidence, err := u.tryOnce(ctx, r)
		if err != nil {
			return agentkind.Row{}, fmt.Errorf("%s: %w", r.name, err)
		}
		if result == agentkind.Pass || attempt == attempts {
			return agentkind.Row{
				Name: r.name, Relies: r.relies, Feature: r.feature, Result: result, Evidence: evidence,
				Seconds: float64(time.Since(started).Round(100*time.Millisecond)) / float64(time.Second),
			}, nil
		}
	}
}

// tryOnce plays one row on a stage of its own. An error is the machine's.
func (u *suite) tryOnce(ctx context.Context, r row) (result agentkind.Result, evidence string, err error) {
	s, err := u.newStage(ctx)
	if err != nil {
		return "", "", err
	}
	defer func() {
		said := recover()
		err = errors.Join(s.end(), harness.EndAll(s.dir), os.RemoveAll(s.dir), ctx.Err())
		switch said := said.(type) {
		case nil:
		case failure:
			result, evidence = agentkind.Fail, s.plain(said.reason)
		case unproven:
			result, evidence = agentkind.Unknown, s.plain(said.reason)
		default:
			panic(said)
		}
	}()
	return agentkind.Pass, s.plain(r.check(s)), nil
}

func (u *suite) newStage(ctx context.Context) (*stage, error) {
	dir, err := harness.TempDir()
	if err != nil {
		return nil, err
	}
	s := &stage{ctx: ctx, kind: agentkind.Claude(), cli: u.cli, model: u.model, dir: dir, patience: patience}
	if err := s.prepare(u.endpoint); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// plain takes out of evidence what differs from run to run.
func (s *stage) plain(evidence string) string {
	evidence = strings.ReplaceAll(evidence, "\u00a0", " ")
	evidence = strings.ReplaceAll(evidence, s.dir, "/home/dev")
	evidence = strings.ReplaceAll(evidence, strings.ReplaceAll(s.dir, string(filepath.Separator), "-"), "-home-dev")
	return strings.ReplaceAll(evidence, s.session, "SESSION")
}
