package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

// row is one behaviour of the CLI's that we rely on. Its check reads as a test does: what it needs and does not get ends
// it. It returns the evidence.
type row struct {
	name    string
	relies  string            // one sentence
	feature agentkind.Feature // falls with the row; empty: nothing
	check   func(*stage.Stage) (evidence string)
}

// table lists every row.
func table() []row {
	return slices.Concat(
		startRows(), messageRows(), promptRows(), formRows(), stateRows(), transcriptRows(), usageRows(), lifeRows(),
	)
}

// suite tries rows against one CLI.
type suite struct {
	house    *stage.House
	parallel int
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
	err = u.house.Play(ctx, func(s *stage.Stage) { evidence = s.Plain(r.check(s)) })
	var failure stage.Failure
	var unproven stage.Unproven
	switch {
	case err == nil:
		return agentkind.Pass, evidence, nil
	case errors.As(err, &failure):
		return agentkind.Fail, failure.Reason, nil
	case errors.As(err, &unproven):
		return agentkind.Unknown, unproven.Reason, nil
	}
	return "", "", err
}
