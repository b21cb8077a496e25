package protocol

import "time"

// State is what a session's agent is doing. Silence is never a state.
type State string

// The states.
const (
	StateStarting  State = "starting"
	StateWorking   State = "working"
	StateWaiting   State = "waiting" // for an answer to a prompt
	StateIdle      State = "idle"    // for the next message
	StateExited    State = "exited"
	StateUncertain State = "uncertain" // the evidence contradicts itself, or there is none
)

// Confidence is how far a session's state can be relied on, by the best that says so.
type Confidence string

// The confidences.
const (
	ConfidenceHigh   Confidence = "high"   // the start or end of the agent's process, or a hook, which the agent runs as it acts
	ConfidenceMedium Confidence = "medium" // the agent's own files, its status or its transcript
	ConfidenceLow    Confidence = "low"    // the screen alone; or evidence is missing, or contradicts itself
)

// Session is one agent in one terminal, as its host knows it.
type Session struct {
	ID             SessionID  `json:"id"`
	Name           string     `json:"name"`
	Agent          string     `json:"agent"`
	AgentVersion   string     `json:"agent_version,omitempty"`
	WorkingDir     string     `json:"working_dir"`
	PermissionMode string     `json:"permission_mode"`
	State          State      `json:"state"`
	Evidence       string     `json:"evidence"`             // what says so: "hook Stop", "process exit", "status file", "screen"
	Confidence     Confidence `json:"confidence,omitempty"` // in that state; an older host says none
	StateAt        time.Time  `json:"state_at"`             // when that was so, by the host's clock
	StartedAt      time.Time  `json:"started_at"`
	ExitedAt       *time.Time `json:"exited_at,omitempty"`
	ExitCode       *int       `json:"exit_code,omitempty"`
	ExitReason     string     `json:"exit_reason,omitempty"`
	LastSeq        uint64     `json:"last_seq"`                    // of the session's last event
	ByPolicy       bool       `json:"resumed_by_policy,omitempty"` // this run was begun by the host's policy, and nobody asked for it
	Adopted        bool       `json:"adopted,omitempty"`           // it was begun on the host, of a conversation that was there

	Usage *SessionUsage `json:"usage,omitempty"` // so far; nil: nothing is known of any
}

// MaxMessage is how many bytes a message may have: far more than a person writes. An agent takes about a minute to take
// in so much (measured, of 1,100 lines). Both sides keep to it, so that nothing is accepted that the host would refuse.
const MaxMessage = 100_000

// MessageStatus is how far a message has come.
type MessageStatus string

// The statuses, in order; the last four are final.
const (
	MessageQueued       MessageStatus = "queued"        // the host has it; nothing is typed yet
	MessageDelivered    MessageStatus = "delivered"     // typed and submitted; the agent has not confirmed it yet
	MessageAccepted     MessageStatus = "accepted"      // the agent confirmed exactly this text
	MessageNotConfirmed MessageStatus = "not_confirmed" // typed, but no receipt came; never typed again
	MessageFailed       MessageStatus = "failed"        // nothing was typed
	MessageWithdrawn    MessageStatus = "withdrawn"     // nothing was typed: a person took it back
)

// Final reports whether no other status can follow.
func (s MessageStatus) Final() bool {
	return s == MessageAccepted || s == MessageNotConfirmed || s == MessageFailed || s == MessageWithdrawn
}

// MessageState is what has become of one message.
type MessageState struct {
	ID     MessageID     `json:"id"`
	Status MessageStatus `json:"status"`
	Detail string        `json:"detail,omitempty"` // why, for people
}
