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
	Sidechain  bool          // a subagent's
	Subagent   string        // its kind, if the line names it
	Forked     string        // the conversation that the line was copied from; empty: it is this one's own
	Reply      string        // the model's reply that this is a part of, by its own id
	Use        *Use          // what the whole reply took, as far as this line knows
	Cost       *Cost
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
	LineUse         LineKind = "use"         // nothing to be read: what a reply took, or what all have cost
)

// Use is what a model's replies took, in tokens.
type Use struct {
	Input, Output         int64 // Input without what came from a cache or went into one
	CacheRead, CacheWrite int64
}

// Total counts every token alike.
func (u Use) Total() int64 { return u.Input + u.Output + u.CacheRead + u.CacheWrite }

// Cost is what a conversation has cost so far, as the agent itself reckons it.
type Cost struct {
	USD    float64
	Tokens int64 // that it is for, subagents' too
}

// Decider is who decided about a tool.
type Decider string

// The deciders.
const (
	DecidedUnknown  Decider = ""
	DecidedHook     Decider = "hook"
	DecidedTerminal Decider = "terminal"
	DecidedRule     Decider = "rule"
)
