// Bench prints how near the product comes to its limits: what the same parts could do at best, measured in the same
// run on the same machine. Absolute times move from machine to machine and from minute to minute; the ratio is what
// counts. It asserts nothing. Memory and processor time are read from /proc, so those rows need Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// The words with which this program starts itself as a part of a limit.
const (
	wordLimit = "limit"
	wordAgent = "agent"
	wordFlood = "flood"

	wordTypist  = "typist"
	wordStamper = "stamper"
)

func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == wordLimit:
		return serveLimit(ctx, getenv(limitDatabase), stdin, stdout)
	case len(args) == 2 && args[0] == wordAgent:
		return serveAgent(ctx, args[1], stdin, stdout)
	case len(args) == 3 && args[0] == wordFlood:
		return flood(args[1], args[2])
	case len(args) == 3 && args[0] == wordTypist:
		return serveTypist(ctx, args[1], args[2], stdin, stdout)
	case len(args) >= 2 && args[0] == wordStamper:
		return serveStamper(ctx, args[1], args[2:])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "measure only these, with commas between them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return measureAll(ctx, getenv, stdout, *only)
}

// atMost bounds the whole run.
const atMost = 3 * time.Minute

// measurement is one thing to measure, on a product that runs already.
type measurement struct {
	name    string
	measure func(context.Context, *product) ([]row, error)
}

// measurements are in an order in which none disturbs the next: those that restart something come late.
func measurements() []measurement {
	return []measurement{
		{"sessions", measureSessions},
		{"prompts", measurePrompts},
		{"messages", measureMessages},
		{"calls", measureCalls},
		{"tokens", measureTokenCheck},
		{"oauth", measureOAuth},
		{"starts", measureStarts},
		{"hosts", measureHosts},
		{"terminal", measureTerminal},
	}
}

// measureAll prints each measurement's rows as soon as they are there, and goes on after one that did not work.
func measureAll(ctx context.Context, getenv func(string) string, stdout io.Writer, only string) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, atMost, fmt.Errorf("not done within %s", atMost))
	defer cancel()
	began := time.Now()
	p, err := startProduct(ctx, getenv)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	defer func() { err = errors.Join(err, p.end()) }()
	t := newTable(stdout)
	for _, m := range measurements() {
		if only != "" && !slices.Contains(strings.Split(only, ","), m.name) {
			continue
		}
		rows, failed := m.measure(ctx, p)
		if ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("measuring %s: %w", m.name, failed))
		}
		t.print(rows)
	}
	fmt.Fprintf(stdout, "\nTook %s.\n", time.Since(began).Round(time.Second))
	return err
}
