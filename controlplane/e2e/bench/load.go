package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// load is how long each of many calls took, and all of them together.
type load struct {
	took    []time.Duration
	elapsed time.Duration
}

func (l *load) add(more load) {
	l.took = append(l.took, more.took...)
	l.elapsed += more.elapsed
}

func (l load) rate() float64 { return float64(len(l.took)) / l.elapsed.Seconds() }

// quantile is the time within which this part of the calls was done; 0 if there were none.
func (l load) quantile(part float64) time.Duration {
	if len(l.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l.took))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

// caller makes one call; number tells concurrent callers apart.
type caller func(ctx context.Context, number int) error

// drive lets a number of callers call, each one call after the other, for a time.
func drive(ctx context.Context, callers int, while time.Duration, call caller) (load, error) {
	began := time.Now()
	took := make([][]time.Duration, callers)
	errs := make([]error, callers)
	var group sync.WaitGroup
	for number := range callers {
		group.Go(func() {
			for time.Since(began) < while && errs[number] == nil {
				start := time.Now()
				errs[number] = call(ctx, number)
				took[number] = append(took[number], time.Since(start))
			}
		})
	}
	group.Wait()
	done := load{took: slices.Concat(took...), elapsed: time.Since(began)}
	failed := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if failed < 0 {
		return done, nil
	}
	return done, errs[failed] // the others' are mostly the same
}

// path is one way to call, with what was measured of it.
type path struct {
	call  caller
	alone load // one caller
	crowd load // as many as crowdSize
}

const crowdSize = 64

// Limits and ours are measured in turns, so that whatever else the machine does meets both.
const (
	rounds  = 3
	turn    = 400 * time.Millisecond
	warmUp  = 100 * time.Millisecond
	warmers = 16
)

// takeTurns measures the paths, alone and in a crowd.
func takeTurns(ctx context.Context, paths ...*path) error {
	for _, p := range paths {
		if _, err := drive(ctx, warmers, warmUp, p.call); err != nil {
			return err
		}
	}
	for range rounds {
		for _, p := range paths {
			alone, err := drive(ctx, 1, turn, p.call)
			if err != nil {
				return err
			}
			crowd, err := drive(ctx, crowdSize, turn, p.call)
			if err != nil {
				return err
			}
			p.alone.add(alone)
			p.crowd.add(crowd)
		}
	}
	return nil
}
