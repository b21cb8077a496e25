// Package policy is what the owner of this host allows, whoever asks: where sessions may run, which agents, in
// which permission modes, how many, when, in whose name, and what their agents may do. It is a file on the host; the
// control plane can only ask for less.
package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is the owner's file. A field that it leaves out keeps its default.
type Policy struct {
	Roots       []string `json:"roots"`            // directories in which sessions may run; ~ is the home
	Agents      []string `json:"agents"`           // agent kinds that may be started; empty: every known one
	Modes       []string `json:"permission_modes"` // permission modes that may be asked for
	MaxSessions int      `json:"max_sessions"`     // how many may live at once
	// People are the names of those for whom this host acts: on their own, so that it is shared with nobody else,
	// whatever the control plane's shares say. Empty: for everyone whom the control plane lets. Who asks, only the
	// control plane knows.
	People        []string `json:"people"`
	MaxEachPerson int      `json:"max_sessions_per_person"` // how many sessions that one person started may live at once; 0: no limit of its own

	AfterRestart AfterRestart `json:"after_restart"`

	Deny       []Rule       `json:"deny"` // calls of tools that no agent may make
	Ask        []Rule       `json:"ask"`  // calls that a person is asked about each time, whatever else would allow them
	QuietHours []QuietHours `json:"quiet_hours"`

	// KeepDays is after how many days an ended session's files are deleted here, recording included, if the control
	// plane has all its events; 0: never.
	KeepDays  int               `json:"keep_days"`
	Recording Recording         `json:"recording"`
	Programs  map[string]string `json:"programs"` // agent kind to the path of its program; others are found in PATH
}

// mostSessions keeps what a host says of its live sessions in one message to its control plane.
const mostSessions = 200

// Refusal is this host's no. Its reason is shown to whoever asked.
type Refusal struct {
	Reason  string
	Setting string // of the owner's file, that says no
	Index   int    // in that setting, if it is a list of rules
}

func (r *Refusal) Error() string { return r.Reason }

func refuse(setting, format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...), Setting: setting}
}

// Default is the policy of a host without a file: anywhere in the owner's home, in the modes that ask.
func Default() Policy {
	return Policy{
		Roots:        []string{"~"},
		Modes:        []string{"manual", "plan", "acceptEdits"},
		MaxSessions:  20,
		AfterRestart: RestartOffer,
		KeepDays:     30,
		Recording:    defaultRecording(),
		Agents:       []string{}, People: []string{}, Deny: []Rule{}, Ask: []Rule{}, QuietHours: []QuietHours{},
		Programs: map[string]string{},
	}
}

// Agent says whether agents of this kind may be started.
func (p Policy) Agent(kind string) error {
	if len(p.Agents) == 0 || slices.Contains(p.Agents, kind) {
		return nil
	}
	return refuse("agents", "this host's policy does not allow the agent %q", kind)
}

// Mode says whether sessions may run in this permission mode.
func (p Policy) Mode(mode string) error {
	if slices.Contains(p.Modes, mode) {
		return nil
	}
	return refuse("permission_modes", "this host's policy does not allow the permission mode %q; it allows %v", mode, p.Modes)
}

// Room says whether one more session may be started while live ones run, of which own were started by the same person.
func (p Policy) Room(live, own int) error {
	if live >= p.MaxSessions {
		return refuse("max_sessions", "this host already runs %d sessions, as many as its policy allows", live)
	}
	if p.MaxEachPerson > 0 && own >= p.MaxEachPerson {
		return refuse("max_sessions_per_person", "this host already runs %d sessions of yours, as many as its policy allows one person", own)
	}
	return nil
}

// Person says whether this host acts for whoever has this name.
func (p Policy) Person(name string) error {
	known := slices.ContainsFunc(p.People, func(person string) bool { return strings.EqualFold(person, name) })
	if len(p.People) == 0 || known {
		return nil
	}
	return refuse("people", "this host's policy lets it act only for those whom its owner names, and not for %q", name)
}
