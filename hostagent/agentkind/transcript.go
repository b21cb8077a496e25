package agentkind

import (
	"encoding/json"
	"time"
)

// Line is one thing that an agent's transcript tells.
type Line struct {
	Kind    LineKind
	At      time.Time
	Text    string
	Tool    string
	ToolUse string
	Input   json.RawMessage
	IsError bool
	Decided Decider // of a tool result: who let it run, or did not
	Denied  bool    // of a tool result: it did not run

	Unanswered time.Duration // of a question's result: the agent went on after that long, since nobody had answered
}

// LineKind says who speaks in a line.
type LineKind string

// The kinds.
const (
	LineUser        LineKind = "user"
	LineAssistant   LineKind = "assistant"
	LineToolCall    LineKind = "tool_call"
	LineToolResult  LineKind = "tool_result"
	LineNotice      LineKind = "notice"
	LineInterrupted LineKind = "interrupted" // a notice that also ends the turn
)

// Decider is who decided about a tool.
type Decider string

// The deciders.
const (
	DecidedUnknown  Decider = ""
	DecidedHook     Decider = "hook"
	DecidedTerminal Decider = "terminal"
	DecidedRule     Decider = "rule"
)
