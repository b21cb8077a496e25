package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// PromptKind is the kind of question that an agent waits on.
type PromptKind string

// The kinds.
const (
	PromptPermission PromptKind = "permission" // may this tool run?
	PromptChoice     PromptKind = "choice"     // one or several questions with options
	PromptPlan       PromptKind = "plan"       // may this plan be carried out?
	PromptTrust      PromptKind = "trust"      // is this directory trusted?

	// PromptElicitation is a question of an MCP server's: a form with questions, or an address to be visited.
	PromptElicitation PromptKind = "elicitation"
	// PromptDialog is a screen of the agent's own, such as a login, which is answered at the terminal only.
	PromptDialog PromptKind = "dialog"
)

// PromptStatus is how far a prompt has come. Only evidence settles it.
type PromptStatus string

// The statuses, in order.
const (
	PromptAsked     PromptStatus = "asked"
	PromptAnswering PromptStatus = "answering" // an answer was handed to the agent; evidence is awaited
	PromptSettled   PromptStatus = "settled"
)

// Prompt is a question that an agent is waiting on, with the options that it really offers.
type Prompt struct {
	ID         PromptID   `json:"id"`
	Session    SessionID  `json:"session_id"`
	Kind       PromptKind `json:"kind"`
	Tool       string     `json:"tool,omitempty"`     // the tool that asks: Bash, Write, …
	Title      string     `json:"title"`              // one line: what is asked
	Detail     string     `json:"detail,omitempty"`   // the command, the change, the plan, in full
	Subagent   string     `json:"subagent,omitempty"` // the kind of subagent that asks, if one does
	Options    []Option   `json:"options,omitempty"`
	Questions  []Question `json:"questions,omitempty"`   // of a choice or an elicitation
	AllowsText bool       `json:"allows_text,omitempty"` // an answer in words is possible beside the options
	AskedAt    time.Time  `json:"asked_at"`
	Digest     string     `json:"digest"` // Sum of all of the above; an answer is bound to it
}

// AtTerminal reports whether a prompt can be answered at the session's own terminal only. It may have questions all the
// same, to be read.
func (p Prompt) AtTerminal() bool { return len(p.Options) == 0 && !p.AllowsText }

// Option is one answer to a prompt.
type Option struct {
	ID     string `json:"id"`               // "allow", "allow_always", "deny", …
	Label  string `json:"label"`            // what the dialog says
	Effect string `json:"effect,omitempty"` // what it would change beyond this one time
}

// The ids of options that mean the same for every kind of agent.
const (
	OptionAllow = "allow"
	OptionDeny  = "deny"
)

// Question is one of a choice's questions.
type Question struct {
	Header      string           `json:"header,omitempty"`
	Text        string           `json:"text"`
	MultiSelect bool             `json:"multi_select,omitempty"`
	Options     []QuestionOption `json:"options"`            // none: it takes words only
	Optional    bool             `json:"optional,omitempty"` // it may be left without an answer
	Wants       string           `json:"wants,omitempty"`    // what words must be, for people: "a whole number, 1 to 9"
}

// QuestionOption is one answer that a question offers.
type QuestionOption struct {
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// Sum is the digest that an answer to this prompt must carry.
func (p Prompt) Sum() string {
	p.Digest = ""
	// A Prompt holds only strings, times and slices of them, which always marshal.
	text, _ := json.Marshal(p)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Answer is what is said to a prompt: an option, or words, or (to a choice or an elicitation) the labels chosen for each
// question, in the questions' order. A single label that no option has is an answer in words; none leaves the question
// out.
type Answer struct {
	Option  string     `json:"option,omitempty"`
	Text    string     `json:"text,omitempty"`
	Choices [][]string `json:"choices,omitempty"`
}

// Settlement says how a prompt ended.
type Settlement struct {
	Prompt   PromptID  `json:"prompt_id"`
	Outcome  Outcome   `json:"outcome"`
	Where    Where     `json:"where"`
	Command  CommandID `json:"command_id,omitempty"` // the answer that did it, if it came from here
	Actor    string    `json:"actor,omitempty"`      // who gave that answer
	Answer   string    `json:"answer,omitempty"`     // in words
	Evidence string    `json:"evidence"`             // how it is known: "hook PostToolUse", "transcript", …
	At       time.Time `json:"at"`
}

// Outcome is how a prompt ended.
type Outcome string

// The outcomes.
const (
	OutcomeAllowed   Outcome = "allowed"
	OutcomeDenied    Outcome = "denied"
	OutcomeAnswered  Outcome = "answered"
	OutcomeWithdrawn Outcome = "withdrawn" // the agent no longer asks: interrupted, timed out, exited
)

// Where is the surface on which a prompt was settled.
type Where string

// The surfaces.
const (
	WhereRemote   Where = "remote"   // through the control plane
	WhereTerminal Where = "terminal" // at the agent's own dialog
	WhereRule     Where = "rule"     // by a rule on the host or in the agent's settings
	WhereNobody   Where = "nobody"
)
