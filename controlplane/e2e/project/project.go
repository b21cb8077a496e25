// Package project makes the small git repository in which demonstrations and end-to-end tests let agents work.
package project

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// TestsRan is the file, in the project, that running its tests leaves behind.
const TestsRan = "test-results.txt"

// files is what the project holds. Its test needs a permission, because it writes.
var files = []struct {
	name, text string
	mode       os.FileMode
}{
	{"README.md", "# web-app\n\nA very small web application.\n", 0o644},
	{"index.html", "<!doctype html>\n<title>web-app</title>\n<h1>Hello</h1>\n", 0o644},
	{"run-tests.sh", `#!/bin/sh
set -e
grep -q '<h1>Hello</h1>' index.html
echo "ok  index.html greets" | tee ` + TestsRan + `
echo "1 test passed"
`, 0o755},
	{"Makefile", "test:\n\t./run-tests.sh\n", 0o644},
}

// Make writes the project into dir and commits it. A directory that exists is left as it is.
func Make(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the sample project: %w", err)
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(dir, file.name), []byte(file.text), file.mode); err != nil {
			return fmt.Errorf("making the sample project: %w", err)
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "."},
		{"-c", "user.name=Switchboard", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "begin"},
	} {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("making the sample project: git %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}
