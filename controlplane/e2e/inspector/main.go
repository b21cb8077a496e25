// Inspector drives the CLI of the public MCP Inspector against a control plane with one machine: it logs in as people
// do, by registration and by metadata document, in both eras of the protocol, steps up, loses its rights and logs in
// again. A scripted browser stands in for the person.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/command"
	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/model"
)

func main() { command.Main("inspector", run) }

// options is the command line; the Makefile knows where it has put things.
type options struct {
	Node      string `required:"" type:"existingfile" help:"Node 22.19 or newer."`
	Inspector string `required:"" type:"existingfile" help:"The Inspector's index.js."`
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (err error) {
	var o options
	if err := command.Parse("inspector", &o, args, stdout, stderr); err != nil {
		return err
	}
	dir, err := harness.TempDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, harness.EndAll(dir), os.RemoveAll(dir)) }()
	w := &world{options: o, dir: dir, out: stdout}
	endpoint, err := new(model.Server).Start(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endpoint.Close()) }()
	w.document, err = publish(ctx, dir)
	if err != nil {
		return err
	}
	defer w.document.Close()
	if err := w.start(ctx, getenv, endpoint.URL); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.plane.Stop()) }()
	return w.inspect(ctx)
}

// world is what the Inspector is let loose on.
type world struct {
	options  options
	dir      string
	out      io.Writer
	plane    *harness.ControlPlane
	browser  *harness.Browser
	document *document
	callback string // where the Inspector waits for codes
}

// start starts a control plane that makes this machine a host, and makes the first account.
func (w *world) start(ctx context.Context, getenv func(string) string, modelURL string) error {
	programs, err := harness.Build(ctx, getenv, w.dir)
	if err != nil {
		return err
	}
	cli, err := claudecli.Find(getenv)
	if err != nil {
		return err
	}
	here := &harness.Host{
		Programs: programs, Name: "here", Model: modelURL,
		Home: claudecli.Home{Dir: filepath.Join(w.dir, "here"), CLI: cli},
	}
	if err := here.Prepare(ctx); err != nil {
		return err
	}
	w.plane = &harness.ControlPlane{Programs: programs, Dir: filepath.Join(w.dir, "plane"), Up: true}
	w.plane.Env = append(here.Environment(),
		"SWITCHBOARD_OUTBOUND_ALLOW=127.0.0.0/8", "SWITCHBOARD_OUTBOUND_CA="+w.document.authority)
	if err := os.Mkdir(w.plane.Dir, 0o755); err != nil {
		return err
	}
	if err := w.plane.Start(ctx); err != nil {
		return err
	}
	callback, err := harness.FreeAddress(ctx)
	if err != nil {
		return err
	}
	w.callback = "http://" + callback + "/oauth/callback"
	return w.join(ctx)
}

func (w *world) join(ctx context.Context) error {
	link, err := w.plane.SetupLink(ctx)
	if err != nil {
		return err
	}
	w.browser, err = harness.NewBrowser(w.plane.URL(), "alice", "a password for the inspector")
	if err != nil {
		return err
	}
	return w.browser.Join(ctx, link)
}
