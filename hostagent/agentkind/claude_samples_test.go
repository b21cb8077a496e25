package agentkind

import (
	"path/filepath"
	"testing"

	"switchboard/controlplane/e2e/sample"
)

var samplesDir = filepath.Join("testdata", "claude")

// scenes are what the real CLI did, by name; make claude-samples records them.
func scenes(t testing.TB) map[string]sample.Scene {
	t.Helper()
	all, err := sample.ReadAll(samplesDir)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d samples: %v", len(all), err)
	}
	return all
}

func scene(t testing.TB, name string) sample.Scene {
	t.Helper()
	s, err := sample.Read(samplesDir, name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recordedHook is the payload of an event's first hook in a scene.
func recordedHook(t testing.TB, name, event string) []byte {
	t.Helper()
	payload, err := scene(t, name).Hook(event, 1)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// with is a recorded object with one field changed.
func with(t testing.TB, object []byte, field string, value any) []byte {
	t.Helper()
	changed, err := sample.With(object, field, value)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}
