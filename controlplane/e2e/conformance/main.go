// Conformance runs the public MCP conformance suite against a control plane that is built with the suite's fixtures:
// as a resource server in both eras of the protocol, and as an authorization server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"switchboard/controlplane/e2e/command"
	"switchboard/controlplane/e2e/harness"
)

func main() { command.Main("conformance", run) }

// options is the command line; the Makefile knows where it has put things.
type options struct {
	Node   string `required:"" type:"existingfile" help:"Node 22 or newer."`
	Newest string `required:"" type:"existingfile" help:"The newest suite's index.js."`
	Stable string `required:"" type:"existingfile" help:"The stable suite's index.js."`
	Only   string `help:"Run one scenario of the newest suite, and show all that it says."`
}

func run(ctx context.Context, args []string, _ func(string) string, stdout, stderr io.Writer) (err error) {
	var o options
	if err := command.Parse("conformance", &o, args, stdout, stderr); err != nil {
		return err
	}
	dir, err := harness.TempDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, err := build(ctx, dir)
	if err != nil {
		return err
	}
	front, err := listen(ctx)
	if err != nil {
		return err
	}
	defer front.Close()
	plane := &harness.ControlPlane{
		Programs: harness.Programs{ControlPlane: program}, Dir: dir, Listen: front.target, Front: front.URL(),
		Env: []string{"SWITCHBOARD_RATE=0"},
	}
	if err := plane.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	client, err := connect(ctx, plane, front)
	if err != nil {
		return err
	}
	s := suites{options: o, client: client, out: stdout, results: filepath.Join(dir, "results")}
	return s.run(ctx)
}

// build makes a control plane that has the fixtures.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "controlplane")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "conformance", "-o", program, "switchboard/controlplane")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the control plane: %w: %s", err, out)
	}
	return program, nil
}

// connect makes the account and gives the proxy a token with every scope.
func connect(ctx context.Context, plane *harness.ControlPlane, front *front) (*harness.OAuth, error) {
	browser, err := harness.NewBrowser(plane.URL(), "alice", "a password for the conformance suite")
	if err != nil {
		return nil, err
	}
	link, err := plane.SetupLink(ctx)
	if err != nil {
		return nil, err
	}
	if err := browser.Join(ctx, link); err != nil {
		return nil, err
	}
	callback, err := harness.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	client := &harness.OAuth{MCP: plane.MCP(), Browser: browser, Redirect: "http://" + callback + "/callback"}
	if err := client.Discover(ctx); err != nil {
		return nil, err
	}
	client.AllScopes()
	if err := client.Register(ctx); err != nil {
		return nil, err
	}
	code, err := client.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := client.Redeem(ctx, code)
	if err != nil {
		return nil, err
	}
	front.token.Store(&tokens.Access)
	return client, nil
}
