package agentkind

import (
	"encoding/json"
	"time"
)

// Hook is one report of an agent's hook.
type Hook struct {
	Event      string // the agent's own name for it, as evidence
	Kind       HookKind
	Session    string // the agent's own id for the conversation; it may change within one process
	Transcript string // path of the conversation's transcript file
	WorkingDir string
	Mode       string // the permission mode that it runs in now, if the hook says so

	Failure  string          // turn failed: what kind of failure, in the agent's own word
	Text     string          // submitted: what; turn failed or conversation ended: why; a question's tool done: the answers; compacting: on whose behalf
	Tool     string          // of a tool's hook
	ToolUse  string          // joins a tool's hooks with each other; a question has none
	Input    json.RawMessage // of a tool's hook
	Agent    string          // the subagent that this is about; empty: the main one
	Subagent string          // that subagent's kind

	Background int // turn done: how many tasks run on, subagents and others

	Unanswered time.Duration // of a question's tool: the agent went on after that long, since nobody had answered

	Server string // of a form's hooks: the MCP server that asks
	Form   string // its own id for the question, if it gives one
	Action string // one of the following
}

// What becomes of a form.
const (
	FormAccepted  = "accept"
	FormDeclined  = "decline"
	FormCancelled = "cancel" // closed without an answer
)

// HookKind says what a hook reports.
type HookKind string

// The kinds.
const (
	HookStarted      HookKind = "started"       // a conversation began or goes on
	HookEnded        HookKind = "ended"         // a conversation ended
	HookSubmitted    HookKind = "submitted"     // the agent took a message: the receipt
	HookToolStarting HookKind = "tool_starting" // before a tool runs, and before the agent asks whether it may
	HookAsked        HookKind = "asked"         // a dialog is open, and our answer is awaited
	HookToolDone     HookKind = "tool_done"
	HookToolFailed   HookKind = "tool_failed"
	HookTurnDone     HookKind = "turn_done"
	HookTurnFailed   HookKind = "turn_failed"
	HookAgentDone    HookKind = "agent_done" // a subagent ended
	HookCompacting   HookKind = "compacting" // the conversation is about to be replaced by a summary of it
	HookCompacted    HookKind = "compacted"
	HookFormAsked    HookKind = "form_asked"    // an MCP server asks; the dialog is about to open
	HookFormAnswered HookKind = "form_answered" // a person closed that dialog at the terminal, and the server is not told yet
	HookFormOver     HookKind = "form_over"     // the server was told
	HookOther        HookKind = "other"
)
