// Demo lets anyone try Switchboard within a minute and without an account: the whole product on this machine, with
// the real Claude Code CLI on a scripted model and a small project to work in.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/e2e/project"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// options is the command line.
type options struct {
	Listen string `default:"127.0.0.1:8420" help:"Address on which the control plane listens."`
	Model  string `default:"127.0.0.1:8421" help:"Address on which the scripted model listens. Sessions that outlive the demonstration find it there again."`
	State  string `default:"${state}" type:"path" help:"Directory for everything that the demonstration keeps."`
	Bin    string `default:"${bin}" type:"path" help:"Directory that holds the programs controlplane and hostagent."`
}

// stopWithin is how long the control plane may take to stop what it has started.
const stopWithin = 30 * time.Second

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (err error) {
	var o options
	if err := o.parse(args, getenv, stdout, stderr); err != nil {
		return err
	}
	env, err := o.prepare(ctx, getenv)
	if err != nil {
		return err
	}
	endpoint, err := new(model.Server).Start(ctx, o.Model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endpoint.Close()) }()

	fmt.Fprint(stdout, sentences)
	cmd := exec.CommandContext(ctx, filepath.Join(o.Bin, "controlplane"), "up",
		"--listen", o.Listen, "--public-url", "http://"+o.Listen,
		"--data", filepath.Join(o.State, "data"), "--hostagent", filepath.Join(o.Bin, "hostagent"))
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, o.State, stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopWithin
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("running the control plane: %w", err)
	}
	return nil
}

func (o *options) parse(args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for the programs: %w", err)
	}
	parser, err := kong.New(o,
		kong.Name("demo"),
		kong.Description("Try Switchboard with the real Claude Code CLI on a scripted model."),
		kong.Writers(stdout, stderr),
		kong.Vars{"state": defaultState(getenv), "bin": filepath.Dir(program)})
	if err != nil {
		return err
	}
	_, err = parser.Parse(args)
	return err
}

// defaultState is where the demonstration keeps its things. Root's is outside of /root, since PostgreSQL refuses to
// run as root and its user could not reach it there.
func defaultState(getenv func(string) string) string {
	if os.Geteuid() == 0 {
		return "/var/lib/switchboard-demo"
	}
	return filepath.Join(getenv("HOME"), ".switchboard", "demo")
}

// prepare makes the home and the project, and returns the environment in which everything runs.
func (o *options) prepare(ctx context.Context, getenv func(string) string) ([]string, error) {
	cli, err := claudecli.Find(getenv)
	if err != nil {
		return nil, err
	}
	home := claudecli.Home{Dir: filepath.Join(o.State, "home"), CLI: cli}
	directory := filepath.Join(home.Dir, "web-app")
	if err := project.Make(ctx, directory); err != nil {
		return nil, err
	}
	if err := home.Seed(directory); err != nil {
		return nil, err
	}
	return home.Environment("http://"+o.Model, getenv("PATH")), nil
}

const sentences = `
This is Switchboard with the real Claude Code CLI on a scripted model; nothing leaves this machine.
Make the first account with the link below, add the MCP URL to a client, and say for example:

  Start a session called web-app in ~/web-app.
  What sessions are running?
  Tell the web-app session to run the tests.
  Any sessions stuck waiting for input?
  Tell it yes.
  What do its logs say?
  Tell it to ask me which database to use.
  Terminate that session.

Ctrl-C ends it; what you made is there again at the next start.

`
