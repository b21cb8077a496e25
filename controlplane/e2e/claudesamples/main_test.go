package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/sample"
	"switchboard/controlplane/e2e/stage"
)

// TestMain makes the test binary serve as the hooks that the CLI runs.
func TestMain(m *testing.M) { stage.ServeOr(m.Run) }

// kept is where unit tests find the samples.
var kept = filepath.Join("..", "..", "..", "hostagent", "agentkind", "testdata", "claude")

// TestSamplesAreRecorded: each file is of a scene, and of the pinned version. Nothing that was made by hand is beside
// them.
func TestSamplesAreRecorded(t *testing.T) {
	files, err := os.ReadDir(kept)
	if err != nil {
		t.Fatal(err)
	}
	about := map[string]string{}
	for _, s := range scenes() {
		if about[s.name] != "" || s.about == "" {
			t.Errorf("scene %q is there twice, or is about nothing", s.name)
		}
		about[s.name] = s.about
	}
	var got, want []string
	for _, file := range files {
		got = append(got, file.Name())
	}
	for name := range about {
		want = append(want, filepath.Base(sample.Path(kept, name)))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("files; make claude-samples records them (-scenes +files):\n%s", diff)
	}
	for name, about := range about {
		scene, err := sample.Read(kept, name)
		if err != nil {
			t.Fatal(err)
		}
		if scene.Version != claudecli.Version || scene.About != about {
			t.Errorf("%s is from version %q and about %q; run make claude-samples", name, scene.Version, scene.About)
		}
	}
}

// TestRecordingAgain plays some of the scenes: what is committed is what the pinned CLI does.
func TestRecordingAgain(t *testing.T) {
	if _, err := claudecli.Find(os.Getenv); errors.Is(err, claudecli.ErrMissing) {
		t.Skip(err)
	}
	dir := t.TempDir()
	names := []string{"bash", "question", "trust"}
	args := []string{"--to", dir}
	for _, name := range names {
		args = append(args, "--only", name)
	}
	if err := run(t.Context(), args, os.Getenv, t.Output(), t.Output()); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		again, err := sample.Read(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		was, err := sample.Read(kept, name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(was, again); diff != "" {
			t.Errorf("%s (-committed +now):\n%s", name, diff)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for name, args := range map[string][]string{
		"nowhere":       {},
		"no such scene": {"--to", t.TempDir(), "--only", "nothing"},
	} {
		if err := run(t.Context(), args, os.Getenv, t.Output(), t.Output()); err == nil {
			t.Errorf("%s: %v was taken", name, args)
		}
	}
}
