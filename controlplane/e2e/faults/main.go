// Faults is a randomized test of what must survive. It runs the built programs — two replicas of the control plane on
// an external NATS and a PostgreSQL, two host agents, sessions of a stand-in for Claude Code or of the real one — under
// people who send, answer, interrupt and read at random, while it kills, freezes and cuts off one part after the other.
// Then it lets everything come to rest, and compares what callers were told with what the agents really got, what the
// hosts kept and what PostgreSQL holds. What it finds it prints with the history of the thing in question.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// plan is what a run does.
type plan struct {
	seed     uint64
	duration time.Duration
	steps    int  // calls after which it ends earlier; 0: no limit
	real     bool // the real CLI on a scripted model
	calm     bool // no faults: what remains is the test's own
	disks    bool // a small disk for each host, which fills up; only root on Linux can
	keep     bool // the directory, for a look at what was found
}

// run returns an error if anything that must hold did not.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	var p plan
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.Uint64Var(&p.seed, "seed", rand.Uint64N(1_000_000), "of all that is random")
	flags.DurationVar(&p.duration, "duration", 2*time.Minute, "how long to inject faults")
	flags.IntVar(&p.steps, "steps", 0, "end after so many calls, if that comes first")
	flags.BoolVar(&p.real, "real", false, "run the real Claude Code CLI")
	flags.BoolVar(&p.calm, "calm", false, "inject nothing")
	flags.BoolVar(&p.disks, "disks", runtime.GOOS == "linux" && os.Getuid() == 0, "fill the hosts' disks (root on Linux)")
	flags.BoolVar(&p.keep, "keep", false, "keep the directory of the run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "seed %d, %s\n", p.seed, p.duration)
	found, err := p.execute(ctx, getenv, stdout)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("seed %d: %d violations", p.seed, len(found))
	}
	return nil
}

// execute runs the plan and returns what did not hold.
func (p plan) execute(ctx context.Context, getenv func(string) string, stdout io.Writer) (found []violation, err error) {
	w, err := startWorld(ctx, p, getenv)
	if err != nil {
		return nil, err
	}
	defer func() {
		if end := w.end(len(found) > 0 && p.keep); err == nil {
			err = end
		}
	}()
	began := time.Now()
	w.play(ctx)
	fmt.Fprintf(stdout, "%s of faults, then rest\n", time.Since(began).Round(time.Second))
	rest, found := w.rest(ctx)
	facts, err := w.gather(ctx)
	if err != nil {
		return nil, err
	}
	found = append(found, w.check(facts)...)
	w.report(stdout, facts, rest, found)
	return found, nil
}
