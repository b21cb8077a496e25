package agentkind

// Ask is a question that an agent waits on.
type Ask struct {
	Kind       AskKind
	Tool       string
	Title      string // one line
	Detail     string // the command, the change, the plan, in full
	Subagent   string // the kind of subagent that asks, if one does
	Options    []Option
	Questions  []Question // of a choice
	AllowsText bool       // words are an answer too
	AtTerminal string     // why it is answered at the terminal only; empty: it is not
}

// AskKind is the kind of question.
type AskKind string

// The kinds.
const (
	AskPermission AskKind = "permission"
	AskChoice     AskKind = "choice"
	AskPlan       AskKind = "plan"
	AskTrust      AskKind = "trust"
	AskForm       AskKind = "elicitation" // an MCP server asks for values, or for a visit to an address
	AskDialog     AskKind = "dialog"      // a screen of the agent's own that is answered at the terminal
)

// Option is one answer that a dialog offers.
type Option struct {
	ID     string
	Label  string
	Effect string // what it changes beyond this one time
	Mode   string // the permission mode that it switches to, if any: the host's policy has a say
}

// The ids of options.
const (
	OptionAllow       = "allow"
	OptionAllowAlways = "allow_always"
	OptionAcceptEdits = "accept_edits"
	OptionDeny        = "deny"
)

// Question is one of a choice's questions.
type Question struct {
	Header      string
	Text        string
	MultiSelect bool
	Options     []QuestionOption
	Optional    bool   // it may be left without an answer
	Wants       string // what an answer in words must be, for people
}

// QuestionOption is one answer that a question offers.
type QuestionOption struct {
	Label       string
	Description string
}

// Answer is what a person says to an Ask.
type Answer struct {
	Actor   string
	Option  string
	Text    string
	Choices [][]string // of a choice or a form: labels or words per question, in the questions' order
}

// Dialog is a dialog that no hook reports, seen on the screen.
type Dialog struct {
	Name string // for people: "trust", "login", …
	Ask  *Ask

	Unreported bool   // read because the agent says that it waits; its hook may still come
	Selected   string // the option under the cursor
	Keys       map[string]Keys
}

// Keys is how an option of a dialog is chosen: Move until it is selected, then Confirm.
type Keys struct {
	Move, Confirm []byte
}
