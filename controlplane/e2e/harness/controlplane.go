package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// ControlPlane is a control plane on the embedded default, in a directory of its own.
type ControlPlane struct {
	Programs Programs
	Dir      string   // an empty directory from TempDir
	Up       bool     // run `up`, which makes this machine a host called here, instead of `serve`
	Env      []string // of the process, beside the harness's PATH
	Listen   string   // chosen at the first Start; the same ever after
	Front    string   // the public URL, if a proxy stands in front

	processes []*Process // of all starts; the last one is the running one
}

// setupLink is printed as long as there is no administrator.
var setupLink = regexp.MustCompile(`(?m)First administrator:\s*(\S+)`)

// URL is the public URL.
func (c *ControlPlane) URL() string {
	if c.Front != "" {
		return c.Front
	}
	return "http://" + c.Listen
}

// MCP is the URL that an MCP client is given.
func (c *ControlPlane) MCP() string { return c.URL() + "/mcp" }

// Data is the directory of everything that the control plane keeps.
func (c *ControlPlane) Data() string { return filepath.Join(c.Dir, "data") }

// Start starts the control plane, for the first time or again, and waits until it is ready.
func (c *ControlPlane) Start(ctx context.Context) error {
	if err := c.Launch(ctx); err != nil {
		return err
	}
	process := c.Process()
	err := Await(ctx, "the control plane to be ready", func(ctx context.Context) (bool, error) {
		if !process.Running() {
			return true, nil // told apart below, without waiting for what cannot come
		}
		return c.ready(ctx)
	})
	if err == nil && !process.Running() {
		err = errEnded
	}
	if err != nil {
		return fmt.Errorf("starting the control plane: %w; it wrote: %s", err, tail(process.Output()))
	}
	return nil
}

// Launch starts the control plane without waiting until it is ready, which it cannot be while its database is away.
func (c *ControlPlane) Launch(ctx context.Context) error {
	if c.Listen == "" {
		address, err := FreeAddress(ctx)
		if err != nil {
			return err
		}
		c.Listen = address
	}
	command := "serve"
	args := []string{"--listen", c.Listen, "--public-url", c.URL(), "--data", c.Data()}
	if c.Up {
		command = "up"
		args = append(args, "--hostagent", c.Programs.HostAgent, "--host-name", "here")
	}
	env := slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "LANG=C.UTF-8"}, c.Env)
	process, err := startProcess(c.Dir, env, c.Programs.ControlPlane, append([]string{command}, args...)...)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, process)
	return nil
}

// ready asks for the login page, which needs the database.
func (c *ControlPlane) ready(ctx context.Context) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/login", nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return false, fmt.Errorf("GET /login: %s", resp.Status)
	}
	return true, nil
}

// Started reports whether there has been a start.
func (c *ControlPlane) Started() bool { return len(c.processes) > 0 }

// Process is the control plane that was started last.
func (c *ControlPlane) Process() *Process { return last(c.processes) }

// SetupLink is the one-time link that makes the first administrator.
func (c *ControlPlane) SetupLink(ctx context.Context) (string, error) {
	return c.Process().awaitLine(ctx, setupLink)
}

// Kill ends the control plane as kill -9 does.
func (c *ControlPlane) Kill() error { return c.Process().Kill() }

// Stop ends the control plane as Ctrl-C does.
func (c *ControlPlane) Stop() error { return c.Process().Stop() }

// Output is all that the control plane has written, over all its starts.
func (c *ControlPlane) Output() string { return outputs(c.processes) }

// FreeAddress finds a port of the loopback interface that nobody listens on. It is none of those that Linux and macOS give
// to whoever needs any, or somebody could have it by the time when it is listened on, the first time or again.
func FreeAddress(ctx context.Context) (string, error) {
	var err error
	for range 20 {
		var listener net.Listener
		listener, err = new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", fmt.Errorf("looking for a free port: %w", err)
}
