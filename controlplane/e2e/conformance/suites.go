package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"switchboard/controlplane/e2e/harness"
)

// suites runs the suite's programs one after the other.
type suites struct {
	options options
	client  *harness.OAuth
	out     io.Writer
	results string // directory
}

// leg is one run of a suite.
type leg struct {
	name string
	args []string
}

func (s suites) run(ctx context.Context) error {
	server := []string{s.options.Newest, "server", "--url", s.client.MCP}
	if s.options.Only != "" {
		return s.leg(ctx, leg{"only", append(server, "--scenario", s.options.Only, "--verbose")}, s.out)
	}
	legs := []leg{
		{"2025-11-25", append(server[:len(server):len(server)], "--requirements", "2025-11-25")},
		{"2026-07-28", append(server[:len(server):len(server)], "--requirements", "2026-07-28")},
		{"stable", []string{s.options.Stable, "server", "--url", s.client.MCP, "--suite", "all"}},
	}
	var failed error
	for _, leg := range legs {
		failed = errors.Join(failed, s.leg(ctx, leg, io.Discard))
	}
	return errors.Join(failed, s.authorization(ctx))
}

// leg runs a suite to its end. Only what went wrong is shown in full.
func (s suites) leg(ctx context.Context, l leg, also io.Writer) error {
	var said bytes.Buffer
	args := append(l.args, "-o", filepath.Join(s.results, l.name))
	cmd := exec.CommandContext(ctx, s.options.Node, args...)
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&said, also), io.MultiWriter(&said, also)
	err := cmd.Run()
	if err != nil {
		fmt.Fprintf(s.out, "%s\n", said.Bytes())
		return fmt.Errorf("%s: %w", l.name, err)
	}
	return s.summarize(l.name, notScored(said.String()))
}

// unscored is how the newest suite's report names a scenario that it runs for information only.
var unscored = regexp.MustCompile(`(?m)^  [✓✗] (\S+) \((?:extension|pending|added-after-release)\)$`)

func notScored(report string) []string {
	var scenarios []string
	for _, match := range unscored.FindAllStringSubmatch(report, -1) {
		scenarios = append(scenarios, match[1])
	}
	return scenarios
}

// check is one of a scenario's.
type check struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Message string `json:"errorMessage"`
}

// summarize counts what a run has checked, without the scenarios that are not scored. A warning is about what the
// specification only recommends; we do that too.
func (s suites) summarize(name string, without []string) error {
	counts := map[string]int{}
	err := filepath.WalkDir(filepath.Join(s.results, name), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "checks.json" {
			return err
		}
		scenario := filepath.Base(filepath.Dir(path)) // <kind>-<scenario>-<time>
		if slices.ContainsFunc(without, func(name string) bool { return strings.Contains(scenario, "-"+name+"-") }) {
			return nil
		}
		return s.count(path, scenario, counts)
	})
	fmt.Fprintf(s.out, "%s: %d passed, %d warnings, %d failed, %d scenarios not scored\n",
		name, counts["SUCCESS"], counts["WARNING"], counts["FAILURE"], len(without))
	if err == nil && (counts["WARNING"] > 0 || counts["FAILURE"] > 0 || counts["SUCCESS"] == 0) {
		err = fmt.Errorf("%s: not all that was checked has passed", name)
	}
	return err
}

func (s suites) count(path, scenario string, counts map[string]int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var checks []check
	if err := json.Unmarshal(text, &checks); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, c := range checks {
		counts[c.Status]++
		if c.Status == "WARNING" || c.Status == "FAILURE" {
			fmt.Fprintf(s.out, "  %s in %s: %s: %s\n", strings.ToLower(c.Status), scenario, c.ID, c.Message)
		}
	}
	return nil
}
