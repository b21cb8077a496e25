package protocol

import (
	"encoding/json"
	"fmt"
	"time"
)

// Report is one kind of thing that a host tells the control plane. Its reply comes when what was told is
// committed; until then the host keeps it.
type Report[Request, Reply any] struct{ Name string }

// The reports.
var (
	Hello        = Report[HelloRequest, HelloReply]{"hello"}             // first on every connection
	Heartbeat    = Report[HeartbeatRequest, Nothing]{"heartbeat"}        // every HeartbeatEvery
	AdoptSession = Report[AdoptSessionRequest, Nothing]{"adopt_session"} // before the first events of a session that was adopted
	Events       = Report[EventsRequest, EventsReply]{"events"}          // one batch in flight at a time
	StoreSegment = Report[StoreSegmentRequest, Nothing]{"store_segment"} // one at a time
	Leaving      = Report[Nothing, Nothing]{"leaving"}                   // an orderly stop: the host is about to be away
)

// HeartbeatEvery is how often a host says that it is there; one that is silent for OfflineAfter is away.
const (
	HeartbeatEvery = 5 * time.Second
	OfflineAfter   = 3 * HeartbeatEvery
)

// Nothing is the request or reply of what needs none.
type Nothing struct{}

// HelloRequest is who the host is and all that it runs.
type HelloRequest struct {
	Version  int       `json:"version"`       // the contract's
	Agent    string    `json:"agent_version"` // the host agent's own version
	Hostname string    `json:"hostname"`
	OS       string    `json:"os"`
	Arch     string    `json:"arch"`
	Kinds    []Kind    `json:"kinds"` // agent kinds that can be started here
	Roots    []string  `json:"roots"` // directories in which sessions may be started
	Modes    []string  `json:"modes"` // permission modes that may be asked for
	Sessions []Session `json:"sessions"`
}

// Kind is an agent that a host can start.
type Kind struct {
	Name    string `json:"name"`
	Version string `json:"version"`           // of the installed program
	Missing string `json:"missing,omitempty"` // why it cannot be started, if it cannot
}

// HelloReply tells the host from where to go on.
type HelloReply struct {
	LastSeq map[SessionID]uint64 `json:"last_seq"` // the last committed event of each session that was named
	Now     time.Time            `json:"now"`      // by the control plane's clock, by which deadlines are; zero: not told
}

// AdoptSessionRequest makes known a session that nobody asked the control plane for: the host's owner took over a
// conversation that he had begun in a terminal.
type AdoptSessionRequest struct {
	Session Session `json:"session"`
}

// HeartbeatRequest repeats nothing: state travels in events.
type HeartbeatRequest struct {
	Sessions int `json:"sessions"` // how many live
}

// EventsRequest is a run of one session's events with consecutive seq.
type EventsRequest struct {
	Session SessionID `json:"session_id"`
	Events  []Event   `json:"events"`
}

// EventsReply is cumulative: all up to LastSeq are committed; the host goes on from there.
type EventsReply struct {
	LastSeq uint64 `json:"last_seq"`
}

// Event is one entry of a session's life. Seq starts at 1 and has no gap.
type Event struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Kind EventKind       `json:"kind"`
	Body json.RawMessage `json:"body"` // of the kind's type; Decode reads it
}

// EventKind says what an event's body is.
type EventKind string

// The kinds, and their bodies.
const (
	EventSession    EventKind = "session_changed" // Session
	EventPrompt     EventKind = "prompt_asked"    // Prompt
	EventSettlement EventKind = "prompt_settled"  // Settlement
	EventMessage    EventKind = "message_changed" // MessageState
	EventEntry      EventKind = "entry"           // Entry
	EventUsage      EventKind = "usage_changed"   // SessionUsage, where nothing else of the session has changed
)

// NewEvent makes an event without a seq: the session's event log assigns that.
func NewEvent(at time.Time, kind EventKind, body any) Event {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("protocol: %T cannot be marshalled: %v", body, err)) // a programming error
	}
	return Event{At: at, Kind: kind, Body: text}
}

// Decode reads an event's body as the type that its kind names.
func Decode[Body any](e Event) (Body, error) {
	var body Body
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return body, fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return body, nil
}

// Entry is one line of a session's transcript.
type Entry struct {
	Role     Role            `json:"role"`
	Text     string          `json:"text,omitempty"`
	Tool     string          `json:"tool,omitempty"`
	ToolUse  string          `json:"tool_use_id,omitempty"` // joins a call and its result
	Input    json.RawMessage `json:"input,omitempty"`       // of a tool call
	IsError  bool            `json:"is_error,omitempty"`    // of a tool result
	Subagent string          `json:"subagent,omitempty"`    // the kind of subagent whose transcript this is from; empty: the agent's own
	// SubagentID tells it from others of its kind, and SubagentCall is the tool_use_id of the call that started it, if
	// that is known. A subagent's "user" is the agent that started it.
	SubagentID   string      `json:"subagent_id,omitempty"`
	SubagentCall string      `json:"subagent_call,omitempty"`
	Usage        *ReplyUsage `json:"usage,omitempty"`      // on the first entry of a reply: what the whole of it took
	Message      MessageID   `json:"message_id,omitempty"` // the message that a person's text came from, if from here
	Truncated    bool        `json:"truncated,omitempty"`  // Text was longer than MaxEntryText
	DeniedBy     Where       `json:"denied_by,omitempty"`  // of a tool's result or a notice: "rule" if a rule on the host denied the call
}

// MaxEntryText is how many bytes of an entry's text cross; the whole stays in the agent's own transcript.
const MaxEntryText = 64 << 10

// Role is who speaks in a transcript entry.
type Role string

// The roles.
const (
	RoleUser       Role = "user"
	RoleAssistant  Role = "assistant"
	RoleToolCall   Role = "tool_call"
	RoleToolResult Role = "tool_result"
	RoleNotice     Role = "notice" // what the agent says about itself: interrupted, compacted, an API error
)
