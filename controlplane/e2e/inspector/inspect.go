package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// step is one thing that the Inspector is put through.
type step struct {
	name string
	do   func(context.Context) (note string, err error)
}

// inspect takes the steps in order, since what one has logged in, the next uses, and prints a line for each.
func (w *world) inspect(ctx context.Context) error {
	registered, err := w.inspector("registered")
	if err != nil {
		return err
	}
	documented, err := w.inspector("documented")
	if err != nil {
		return err
	}
	careful, err := w.inspector("careful")
	if err != nil {
		return err
	}
	steps := []step{
		{"a stranger is told to log in", registered.stranger},
		{"login by dynamic registration", registered.login},
		{"login by metadata document", documented.loginByDocument},
	}
	for _, era := range []string{"legacy", "modern", "auto"} {
		steps = append(steps, step{"everything, protocol era " + era, func(ctx context.Context) (string, error) {
			return registered.everything(ctx, era)
		}})
	}
	steps = append(steps,
		step{"200 calls, ten at once", registered.load},
		step{"refresh, without the person", documented.refresh},
		step{"step up from sessions:read", careful.stepUp},
		step{"login again", registered.loginAgain},
		step{"revocation", documented.revoked},
	)
	var failed error
	for _, step := range steps {
		began := time.Now()
		note, err := step.do(ctx)
		verdict := "passed"
		if err != nil {
			verdict = "FAILED"
		}
		fmt.Fprintf(w.out, "inspector: %s: %s, %.1f s%s\n", step.name, verdict, time.Since(began).Seconds(), note)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", step.name, err))
		}
	}
	return failed
}
