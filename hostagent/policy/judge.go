package policy

import "slices"

// Call is a tool's call that an agent is about to make.
type Call struct {
	Tools    []string // names by which rules may mean it, its own first; none: that could not be read
	Command  string   // what a shell would run
	Paths    []string // of files that would be read or changed
	URL      string
	Subagent string   // the kind of the subagent that would be started
	Dir      string   // absolute; relative paths are taken from there
	Unread   bool     // what it would do could not be read, so every rule for the tool is taken to mean it
	Own      []string // files and directories of the host agent's own, which no tool may change

	read *script // Command, once it has been read
}

func (c *Call) script() script {
	if c.read == nil {
		s := readScript(c.Command)
		c.read = &s
	}
	return *c.read
}

// Decision is what the rules say about a call.
type Decision string

// The decisions. Without one the agent does what it would have done.
const (
	Denied Decision = "deny"
	Asked  Decision = "ask"
)

// Verdict is the decision on a call, and whose it is.
type Verdict struct {
	Decision Decision `json:"decision,omitempty"`
	Rule     string   `json:"rule,omitempty"`
	Why      string   `json:"why,omitempty"` // why it might be what the rule means, if that cannot be told for sure

	Index int `json:"-"` // of the rule in its list
}

// Judge says which rule, if any, means a call. Denying wins over asking, and what this host goes by is never changed by
// a tool: an agent that accepts edits by itself could otherwise take the rules away. What cannot be read well enough to say that
// a rule does not mean it, is taken to be what the rule means.
func (p Policy) Judge(c Call) Verdict {
	if path := c.changesOwn(); path != "" {
		return Verdict{Decision: Denied, Rule: "Edit(" + path + ")", Index: -1}
	}
	for _, list := range []struct {
		decision Decision
		rules    []Rule
	}{{Denied, p.Deny}, {Asked, p.Ask}} {
		for i, rule := range list.rules {
			if rule.meets(&c) {
				return Verdict{Decision: list.decision, Rule: rule.text, Why: c.unclear(rule), Index: i}
			}
		}
	}
	return Verdict{}
}

func (c *Call) changesOwn() string {
	if !slices.Contains(c.Tools, "Edit") {
		return ""
	}
	for _, path := range c.Own {
		if meets, err := matchPath(path); err == nil && meets(c) {
			return path
		}
	}
	return ""
}

func (c *Call) unclear(rule Rule) string {
	switch {
	case len(c.Tools) == 0 || c.Unread:
		return "the call could not be read"
	case rule.tool != "bash" || c.read == nil:
		return ""
	case c.read.dark != "":
		return c.read.dark
	}
	for _, command := range c.read.calls {
		if _, known := join(command).known(); known && rule.command.meets(command) {
			return ""
		}
	}
	return "a part of the command is known only when it runs"
}

// String is the verdict in words, for the agent and for people.
func (v Verdict) String() string {
	words := map[Decision]string{
		Denied: "This host's policy denies this", Asked: "This host's policy has a person asked about this each time", "": "No rule of this host's policy means this",
	}[v.Decision]
	if v.Rule != "" {
		words += ", by its rule " + v.Rule
	}
	if v.Why != "" {
		words += ", since it cannot be told what it would do: " + v.Why
	}
	return words + "."
}
