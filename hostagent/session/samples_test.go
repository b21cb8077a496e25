package session

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"switchboard/controlplane/e2e/sample"
)

// recordedHook is the payload of an event's first hook in a scene that make claude-samples has recorded, with some
// fields changed.
func recordedHook(t *testing.T, scene, event string, changes map[string]any) json.RawMessage {
	t.Helper()
	recorded, err := sample.Read(filepath.Join("..", "agentkind", "testdata", "claude"), scene)
	check(t, err)
	payload, err := recorded.Hook(event, 1)
	check(t, err)
	for field, value := range changes {
		payload, err = sample.With(payload, field, value)
		check(t, err)
	}
	return payload
}
