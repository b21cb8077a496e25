// Package harness drives the built programs from outside, as their users do: it starts, kills and restarts them,
// walks through the web pages as a browser would, connects as an MCP client does with OAuth, and enrols hosts with
// homes of their own. It returns errors instead of failing a test, so that benchmarks use it too.
package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Programs are the two programs under test.
type Programs struct {
	ControlPlane string
	HostAgent    string
}

// BinVariable names the environment variable with the directory of programs that are built already.
const BinVariable = "SWITCHBOARD_BIN"

// Build returns the programs: those in the directory that SWITCHBOARD_BIN names, else freshly built ones in dir.
func Build(ctx context.Context, getenv func(string) string, dir string) (Programs, error) {
	if bin := getenv(BinVariable); bin != "" {
		return Programs{filepath.Join(bin, "controlplane"), filepath.Join(bin, "hostagent")}, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator),
		"switchboard/controlplane", "switchboard/hostagent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Programs{}, fmt.Errorf("building the programs: %w: %s", err, out)
	}
	return Programs{filepath.Join(dir, "controlplane"), filepath.Join(dir, "hostagent")}, nil
}

// TempDir makes a directory that other users may pass through, since a private PostgreSQL runs as one of them
// when root starts it. Its path is short, because the paths of Unix sockets are.
func TempDir() (string, error) {
	dir, err := os.MkdirTemp("", "sb")
	if err != nil {
		return "", fmt.Errorf("making a directory: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a directory: %w", err)
	}
	return filepath.EvalSymlinks(dir)
}

// Patience is how long Await waits. It is long because it only decides how late a failure is noticed.
const Patience = 60 * time.Second

// Await asks again until done says yes, and gives up with the last error that it gave as its reason.
func Await(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		ok, err := done(ctx)
		if ok {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting for %s: %w", what, ctx.Err()), last)
		}
	}
}
