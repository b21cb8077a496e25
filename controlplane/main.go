// Controlplane is Switchboard's server: an MCP server with its own OAuth 2.1 authorization server, the web pages,
// and the one address that hosts connect to.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "dev"

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

// commands is the command line. Every flag has an environment variable, shown by --help.
type commands struct {
	Serve   serveCommand     `cmd:"" default:"withargs" help:"Serve MCP, OAuth, the web pages and the hosts' connections."`
	Up      upCommand        `cmd:"" help:"Serve, and make this machine a host too."`
	Audit   auditCommand     `cmd:"" help:"Check that the audit log is whole."`
	Invite  inviteCommand    `cmd:"" help:"Print a one-time link for one more administrator, when none can log in."`
	Keys    keysCommand      `cmd:"" help:"Make the keys if there are none, and print what an external NATS is configured with."`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

// environment is what a command gets beside its flags.
type environment struct {
	ctx    context.Context // ends at Ctrl-C or SIGTERM
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line commands
	parser, err := kong.New(&line,
		kong.Name("controlplane"),
		kong.Description("Steer the coding agents on your team's machines from ChatGPT, any MCP client and the web."),
		kong.Writers(stdout, stderr),
		kong.Vars{"version": version, "data": defaultData()})
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w (`controlplane --help` says more)", err)
	}
	return chosen.Run(environment{ctx: ctx, stdout: stdout, stderr: stderr,
		log: slog.New(slog.NewTextHandler(stderr, nil))})
}
