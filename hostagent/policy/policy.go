// Package policy is what the owner of this host allows, whoever asks: where sessions may run, which agents, in
// which permission modes, and how many. It is a file on the host; the control plane can only ask for less.
package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Policy is the owner's file. A field that it leaves out keeps its default.
type Policy struct {
	Roots       []string `json:"roots"`            // directories in which sessions may run; ~ is the home
	Agents      []string `json:"agents"`           // agent kinds that may be started; empty: every known one
	Modes       []string `json:"permission_modes"` // permission modes that may be asked for
	MaxSessions int      `json:"max_sessions"`     // how many may live at once
	// KeepDays is after how many days an ended session's files are deleted here, recording included, if the control
	// plane has all its events; 0: never.
	KeepDays int               `json:"keep_days"`
	Programs map[string]string `json:"programs"` // agent kind to the path of its program; others are found in PATH

	Deny []Rule `json:"deny"` // calls of tools that no agent may make
	Ask  []Rule `json:"ask"`  // calls that a person is asked about each time, whatever else would allow them
}

// mostSessions keeps what a host says of its live sessions in one message to its control plane.
const mostSessions = 200

// Refusal is this host's no. Its text is shown to whoever asked.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// Default is the policy of a host without a file: anywhere in the owner's home, in the modes that ask.
func Default() Policy {
	return Policy{
		Roots:       []string{"~"},
		Modes:       []string{"manual", "plan", "acceptEdits"},
		MaxSessions: 20,
		KeepDays:    30,
	}
}

// Load reads the owner's file. A missing file is the default; a file with an unknown field is an error, because
// a misspelt limit would be no limit.
func Load(path string) (Policy, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		return Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	p := Default()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("policy %s: %w", path, err)
	}
	if len(p.Roots) == 0 || p.MaxSessions < 1 || p.MaxSessions > mostSessions || p.KeepDays < 0 {
		return Policy{}, fmt.Errorf("policy %s: want at least one root, max_sessions of 1 to %d, and keep_days of 0 or more", path, mostSessions)
	}
	return p, nil
}

// Agent says whether agents of this kind may be started.
func (p Policy) Agent(kind string) error {
	if len(p.Agents) == 0 || slices.Contains(p.Agents, kind) {
		return nil
	}
	return refuse("this host's policy does not allow the agent %q", kind)
}

// Mode says whether sessions may run in this permission mode.
func (p Policy) Mode(mode string) error {
	if slices.Contains(p.Modes, mode) {
		return nil
	}
	return refuse("this host's policy does not allow the permission mode %q; it allows %v", mode, p.Modes)
}

// Room says whether one more session may be started while live ones run.
func (p Policy) Room(live int) error {
	if live < p.MaxSessions {
		return nil
	}
	return refuse("this host already runs %d sessions, as many as its policy allows", live)
}
