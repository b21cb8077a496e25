package agentkind

// Subagent is what an agent notes of one that it has started.
type Subagent struct {
	Kind string
	Call string // the id of the call of a tool by which it was started
}
