package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

// TestMain makes the test binary serve as the hooks that the CLI runs.
func TestMain(m *testing.M) { stage.ServeOr(m.Run) }

// TestRows plays rows that pass, that fail and that cannot be told, so that a matrix full of passes means something.
func TestRows(t *testing.T) {
	cli, err := claudecli.Find(os.Getenv)
	if err != nil {
		t.Skipf("needs the real CLI: %v", err)
	}
	fails := func(s *stage.Stage) string {
		s.Ready()
		s.Fail("%s is not as it was", s.Project)
		return ""
	}
	cannot := func(s *stage.Stage) string {
		s.Check(os.ErrPermission)
		return ""
	}
	rows := []row{
		{"passes", "", agentkind.FeaturePrompts, checkAllow},
		{"fails", "", agentkind.FeaturePrompts, fails},
		{"cannot be told", "", agentkind.FeatureResume, cannot},
	}
	var told []string
	found, err := try(t.Context(), cli, rows, 3, func(r agentkind.Row) { told = append(told, r.Name) })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range found {
		got = append(got, r.Name+": "+string(r.Result)+": "+r.Evidence)
	}
	want := []string{
		"passes: pass: ran; transcript: decided by hook; ⎿  Allowed by PermissionRequest hook",
		"fails: fail: /home/dev/home/project is not as it was",
		"cannot be told: unknown: permission denied",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if slices.Sort(told); strings.Join(told, ", ") != "cannot be told, fails, passes" {
		t.Errorf("told of %v", told)
	}
	if err := broken(agentkind.Proof{Rows: found}); err == nil || !strings.Contains(err.Error(), "2 of 3 rows") {
		t.Errorf("the whole is said to be well: %v", err)
	}
}

// TestTable: names tell rows apart, in files and on the command line.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range table() {
		if seen[r.name] || r.name == "" || r.relies == "" || strings.Contains(r.name, ",") || r.check == nil {
			t.Errorf("row %q", r.name)
		}
		if r.feature != "" && !slices.Contains(agentkind.Features(), r.feature) {
			t.Errorf("row %q is of no feature that is listed: %s", r.name, r.feature)
		}
		seen[r.name] = true
	}
	for _, row := range pinned(t).Rows {
		if !seen[row.Name] {
			t.Errorf("the proof of %s has the row %q, which is tried no more; run make compat KEEP=1", claudecli.Version, row.Name)
		}
		delete(seen, row.Name)
	}
	for name := range seen {
		t.Errorf("the proof of %s lacks the row %q; run make compat KEEP=1", claudecli.Version, name)
	}
}

func pinned(t *testing.T) agentkind.Proof {
	t.Helper()
	proof, ok := agentkind.Claude().Proof(claudecli.Version)
	if !ok {
		t.Fatalf("the pinned version %s was not tried", claudecli.Version)
	}
	return proof
}

func TestCommandLine(t *testing.T) {
	for name, args := range map[string][]string{
		"part of a matrix": {"--only", "allow", "--keep", t.TempDir()},
		"no such row":      {"--only", "nothing"},
		"no such option":   {"--quick"},
	} {
		if err := run(context.Background(), args, os.Getenv, t.Output(), t.Output()); err == nil {
			t.Errorf("%s: %v was taken", name, args)
		}
	}
}
