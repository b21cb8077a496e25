// Package sample is what the real Claude Code CLI did in a scene, as files that unit tests read. `make claude-samples`
// records them; nothing in them is made by hand, and nothing is of the machine that they were recorded on.
package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Scene is what was kept of one scene.
type Scene struct {
	Version    string            `json:"version"` // of the CLI
	About      string            `json:"about"`
	Hooks      []json.RawMessage `json:"hooks,omitempty"`
	Statuses   []json.RawMessage `json:"statuses,omitempty"`   // the CLI's file about itself
	Transcript []json.RawMessage `json:"transcript,omitempty"` // lines
	Subagent   []json.RawMessage `json:"subagent,omitempty"`   // lines of the subagent's own transcript
	Note       json.RawMessage   `json:"note,omitempty"`       // the CLI's note about the subagent, beside that transcript
	Screens    []Screen          `json:"screens,omitempty"`
}

// Screen is what the terminal showed.
type Screen struct {
	Name   string   `json:"name"`
	Cols   int      `json:"cols"`
	Rows   int      `json:"rows"`
	Lines  []string `json:"lines"`
	Strong []string `json:"strong,omitempty"` // without what is faint, if something is
}

// Unfaint are the lines without what is faint.
func (s Screen) Unfaint() []string {
	if s.Strong == nil {
		return s.Lines
	}
	return s.Strong
}

// Hook is the payload of an event's n-th hook that was kept, from 1.
func (s Scene) Hook(event string, n int) ([]byte, error) {
	for _, payload := range s.Hooks {
		var named struct {
			Event string `json:"hook_event_name"`
		}
		if err := json.Unmarshal(payload, &named); err != nil {
			return nil, fmt.Errorf("sample: %w", err)
		}
		if named.Event == event {
			n--
		}
		if n == 0 {
			return payload, nil
		}
	}
	return nil, fmt.Errorf("sample: %q has no such hook %s", s.About, event)
}

// Screen is the screen of a name.
func (s Scene) Screen(name string) (Screen, error) {
	for _, screen := range s.Screens {
		if screen.Name == name {
			return screen, nil
		}
	}
	return Screen{}, fmt.Errorf("sample: %q has no screen %s", s.About, name)
}

// Path is the file of a scene.
func Path(dir, name string) string { return filepath.Join(dir, name+".json") }

// Write keeps a scene.
func (s Scene) Write(dir, name string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(s); err != nil {
		return fmt.Errorf("sample %s: %w", name, err)
	}
	return os.WriteFile(Path(dir, name), text.Bytes(), 0o644)
}

// Read reads the scene of a name.
func Read(dir, name string) (Scene, error) {
	text, err := os.ReadFile(Path(dir, name))
	if err != nil {
		return Scene{}, fmt.Errorf("sample: %w", err)
	}
	var s Scene
	if err := json.Unmarshal(text, &s); err != nil {
		return Scene{}, fmt.Errorf("sample %s: %w", name, err)
	}
	return s, nil
}

// ReadAll reads all scenes of a directory, by name.
func ReadAll(dir string) (map[string]Scene, error) {
	paths, err := filepath.Glob(Path(dir, "*"))
	if err != nil {
		return nil, err
	}
	all := map[string]Scene{}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if all[name], err = Read(dir, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// With is a recorded object in which one field is another: for the variants that a test needs and the CLI does not
// write.
func With(object []byte, field string, value any) ([]byte, error) {
	var fields map[string]any
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	fields[field] = value
	return json.Marshal(fields)
}
