// Package command is how the programs beside it begin and end.
package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Run is a whole program.
type Run func(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error

// Main runs a program until it is done or a signal ends it, and leaves with what came of it.
func Main(name string, run Run) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Parse reads a command line into options, a struct as kong wants it.
func Parse(name string, options any, args []string, stdout, stderr io.Writer) error {
	parser, err := kong.New(options, kong.Name(name), kong.Writers(stdout, stderr))
	if err != nil {
		return err
	}
	_, err = parser.Parse(args)
	return err
}
