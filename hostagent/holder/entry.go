package holder

import (
	"encoding/json"
	"time"
)

// Entry is one thing that happened in a session. N starts at 1 and has no gap.
type Entry struct {
	N    uint64          `json:"n"`
	At   time.Time       `json:"at"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

// The kinds of entry that the holder writes, and their bodies. Any other kind is a note of the host agent's.
const (
	KindStarted      = "started"       // Started
	KindHook         = "hook"          // Hook
	KindHookAnswered = "hook_answered" // HookAnswered
	KindHookClosed   = "hook_closed"   // HookClosed
	KindInput        = "input"         // Input
	KindResized      = "resized"       // Resized
	KindExited       = "exited"        // Exited; the last entry of a run
)

// reserved are the kinds that a note may not have.
var reserved = map[string]bool{
	KindStarted: true, KindHook: true, KindHookAnswered: true, KindHookClosed: true, KindInput: true,
	KindResized: true, KindExited: true, "": true,
}

// Started says that the child runs.
type Started struct {
	PID  int    `json:"pid"`
	Boot string `json:"boot,omitempty"` // Boot(), at the time
	Why  string `json:"why,omitempty"`  // the spec's
}

// HookID names one call of a hook. It is random, and serves as the id of the prompt that the hook asks.
type HookID string

// Hook is a call of one of the agent's hooks.
type Hook struct {
	ID      HookID          `json:"id"`
	Event   string          `json:"event"`
	Held    bool            `json:"held"`              // it waits for Answer
	Payload json.RawMessage `json:"payload"`           // a JSON string if what the agent sent is not JSON
	Verdict json.RawMessage `json:"verdict,omitempty"` // what the host's rules said about it on the spot, if anything
}

// HookAnswered says that the hook was answered; an empty reply released it.
type HookAnswered struct {
	ID    HookID `json:"id"`
	Reply string `json:"reply"`
}

// HookClosed says that a held hook's process went away: before it was answered, or, after a hook_answered entry,
// before it confirmed that it had the answer.
type HookClosed struct {
	ID HookID `json:"id"`
}

// Input says that a viewer typed; at most one a second is written.
type Input struct {
	At time.Time `json:"at"`
}

// Resized says that the terminal's size changed.
type Resized struct {
	Cols int `json:"cols"`
	Rows int `json:"rows"`
}

// Exited says how the child ended. Code is -1 if a signal ended it.
type Exited struct {
	Code   int    `json:"code"`
	Signal string `json:"signal,omitempty"` // as in "killed", "terminated"
	// HolderEnded: the holder itself was told to end, as all processes are when the machine stops.
	HolderEnded bool `json:"holder_ended,omitempty"`
}
