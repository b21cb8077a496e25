// Package claudecli finds the real Claude Code CLI at the version that Switchboard was built against, and gives it
// a home in which it starts without any question and speaks with nobody but a scripted model endpoint.
package claudecli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is the pinned version. The CLI's screens and hooks change between versions, so a new one is measured
// before it is pinned.
const Version = "2.1.329"

// Variable is the environment variable that names another CLI than the installed one.
const Variable = "SWITCHBOARD_CLAUDE"

// ErrMissing says that the CLI is not installed.
var ErrMissing = errors.New("the Claude Code CLI is not installed")

// Package is the npm package that holds the CLI's program for this machine. It needs no Node at run time.
func Package() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return "@anthropic-ai/claude-code-" + runtime.GOOS + "-" + arch
}

// Find returns the path of the CLI: what SWITCHBOARD_CLAUDE names, else what `make claude` has installed into
// .cache under the module root, which is looked for from the working directory upwards.
func Find(getenv func(string) string) (string, error) {
	if path := getenv(Variable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", Variable, err)
		}
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".cache", "claude-"+Version, "node_modules", filepath.FromSlash(Package()), "claude")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run `make claude`, or set %s", ErrMissing, Variable)
	}
	return path, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for the module root: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return "", fmt.Errorf("looking for the module root: no go.mod at or above the working directory")
		}
		dir = parent
	}
}

// VersionOf asks a CLI for its version.
func VersionOf(ctx context.Context, cli string) (string, error) {
	out, err := exec.CommandContext(ctx, cli, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking the CLI for its version: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return "", fmt.Errorf("the CLI says no version: %q", out)
	}
	return words[0], nil
}
