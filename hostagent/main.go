// Hostagent makes a machine a host: it runs coding agents in terminals of their own, takes commands from a control
// plane and reports what happens. It listens on no port; sessions outlive it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/link"
	"switchboard/hostagent/session"
)

// version is set when a release is built.
var version = "dev"

// exitRemoved is the exit status after an administrator removed this host; starting again cannot help. The systemd
// unit knows it too.
const exitRemoved = 3

func main() {
	err := run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "hostagent:", err)
	if errors.Is(err, link.ErrRemoved) {
		os.Exit(exitRemoved)
	}
	os.Exit(1)
}

// commands is the command line.
type commands struct {
	Dir       string           `default:"${dir}" type:"path" help:"Directory for this host's key, policy and sessions ($$SWITCHBOARD_HOST_DIR)."`
	Enroll    enrollCommand    `cmd:"" help:"Make this machine a host of a control plane."`
	Login     loginCommand     `cmd:"" help:"Make this machine a host of a control plane without a join token: a person allows it in a browser, here or elsewhere."`
	Run       runCommand       `cmd:"" help:"Connect to the control plane and run sessions."`
	Attach    attachCommand    `cmd:"" help:"Get a session's terminal. Press ctrl+\\ twice to leave it."`
	Adopt     adoptCommand     `cmd:"" help:"Go on here with a conversation that was begun in a plain terminal. Without an argument, list those that there are."`
	Ps        psCommand        `cmd:"" help:"List sessions."`
	Status    statusCommand    `cmd:"" help:"Say what this host is and whether its agent runs."`
	Policy    policyCommand    `cmd:"" help:"Show what this machine's owner allows, and why something is allowed or not."`
	Doctor    doctorCommand    `cmd:"" help:"Check everything that this host needs, and say what to do."`
	Install   installCommand   `cmd:"" help:"Start the host agent at login, from now on."`
	Uninstall uninstallCommand `cmd:"" help:"Undo install. Sessions live on."`
	Version   kong.VersionFlag `help:"Print the version and exit."`

	// Run by the host agent and by agents' hooks, not by people. The words are taken before all else.
	Holder struct{} `cmd:"" hidden:""`
	Hook   struct{} `cmd:"" hidden:""`
}

// environment is what a command gets beside its flags.
type environment struct {
	ctx    context.Context // ends at Ctrl-C or SIGTERM
	dir    hostDir
	getenv func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	// An agent waits for each hook, so these two come before anything that takes time.
	switch {
	case len(args) == 2 && args[0] == "holder":
		return holder.Run(ctx, args[1])
	case len(args) == 3 && args[0] == "hook":
		return session.Hook(ctx, args[1], args[2], stdin, stdout)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	var line commands
	parser, err := kong.New(&line,
		kong.Name("hostagent"),
		kong.Description("Run coding agents on this machine for a Switchboard control plane."),
		kong.Writers(stdout, stderr),
		kong.Vars{"version": version, "dir": defaultDir(getenv)})
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w (`hostagent --help` says more)", err)
	}
	return chosen.Run(environment{ctx: ctx, dir: hostDir(line.Dir), getenv: getenv,
		stdin: stdin, stdout: stdout, stderr: stderr, log: slog.New(slog.NewTextHandler(stderr, nil))})
}

func defaultDir(getenv func(string) string) string {
	if dir := getenv("SWITCHBOARD_HOST_DIR"); dir != "" {
		return dir
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".switchboard", "host")
	}
	return ".switchboard-host"
}
