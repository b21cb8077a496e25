// Package agentkind knows the coding agents that a host can run: how each is started, how its hooks, its
// transcript, its status and its dialogs read, and how it is typed to. Everything that is true of one kind only
// stands in that kind's files; the rest of the host agent speaks the words of this one.
package agentkind

import (
	"slices"
	"time"
)

// Kind is one kind of agent, as a table entry.
type Kind struct {
	Name           string
	Program        string   // looked for in PATH, unless the host's owner names another
	Modes          []string // permission modes that it knows
	DefaultMode    string   // one that asks
	Environment    []string // names, or starts of names that end in *, that it needs beyond a terminal's own
	NotEnvironment []string // and of these, what would tell it that it runs inside another agent
	Defaults       []string // variables that it gets unless they are set

	// Args is the agent's command line after the program. No text of a person stands where an option could.
	Args func(Launch) []string

	// Settings is a file that makes the agent report to us, merged with the person's own settings.
	Settings func(hookCommand func(event string) string) []byte

	HeldHook string // the event whose hook waits for our answer; all others return at once
	ReadHook func(payload []byte) (Hook, error)
	ReadAsk  func(payload []byte) (Ask, error)              // of a held hook
	Reply    func(payload []byte, a Answer) ([]byte, error) // to a held hook

	// FormResultHook is the event that comes when a person has closed the dialog of an MCP server's question. Its reply, made
	// by Reply from the question's own payload, goes to the server in that answer's place.
	FormResultHook string
	ShowsForm      func(screen []string, payload []byte) bool // the dialog of exactly this question is open
	CloseForm      []byte                                     // keys that close it without an answer
	ToolServer     func(tool string) string                   // the MCP server that a tool is of; empty: none

	JudgedHook   string // the event that comes before each call of a tool, whose hook may deny the call or have it asked about
	ReadToolCall func(payload []byte) ToolCall
	Verdict      func(denied bool, reason string) []byte // the reply of a judged hook; if not denied, it is to be asked about

	ReadTranscript func(line []byte) ([]Line, error) // one line of the transcript file, without its end

	SubagentDir  func(transcript string) string                // where the transcripts of a conversation's subagents lie; empty: nowhere
	SubagentFile func(name string) (id, about string, ok bool) // whose transcript a file there is, and the file beside it that says what it is
	ReadSubagent func(about []byte) Subagent

	ReadStatus func(p Process) (Status, bool) // what the agent says about itself on disk; false: nothing
	StatusFile func(p Process) string         // where ReadStatus finds that; empty: nowhere yet
	// Conversations are those that the agent has on this machine and can go on with, newest first.
	Conversations  func(getenv func(string) string) ([]Conversation, error)
	Writers        func(getenv func(string) string) []Writer // live processes that have a conversation open
	ReadScreen     func(screen []string) (Dialog, bool)
	ReadUnreported func(s Status, screen []string) Dialog // of an agent that asks something that no hook reports
	ReadBox        func(screen []string) Box              // what stands in the input box, as far as can be seen

	SameMessage  func(clean, receipt string) bool
	CleanMessage func(text string) (string, error) // as the agent will report it in its receipt
	Changed      func(text, clean string) []string // what CleanMessage changed, in words
	TypeMessage  func(clean string) [][]byte       // keys that put a clean message into an empty input box; a part is never to be torn
	Submit       []byte                            // keys that send what stands in the input box, and do nothing in a dialog
	StashDraft   []byte                            // keys that put a person's draft aside until after the next submit
	Interrupt    []byte

	Proof func(version string) (Proof, bool) // what was found with exactly this version; false: it was not tried
}

// Box is what can be seen of an agent's input box.
type Box int

// What can be seen. That nothing is seen does not mean that nothing is there: the screen may be half drawn.
const (
	BoxUnseen Box = iota
	BoxEmpty
	BoxDraft // unsent text, mostly a person's
)

// Launch is what an agent is started with.
type Launch struct {
	Session      string // the agent's own id for the conversation
	Resume       bool   // the conversation exists already
	Name         string // shown in the terminal
	Mode         string // one of the kind's Modes
	SettingsFile string
}

// Process is a running agent.
type Process struct {
	PID       int
	Session   string // the agent's own id for the conversation
	Getenv    func(string) string
	StartedAt time.Time
}

// Conversation is one that an agent keeps on disk, whoever began it.
type Conversation struct {
	ID         string
	Dir        string // in which it is gone on with
	Words      string // the first that a person said
	Mode       string // permission mode that it was in last, one of the kind's Modes; empty: not known
	Transcript string
	At         time.Time // when it was last written
}

// Writer is a live process that has a conversation open.
type Writer struct {
	PID          int
	Conversation string
	Dir          string
	Name         string // that it shows
	Activity     Activity
}

// Status is what an agent says about itself, at the time that it names.
type Status struct {
	Activity Activity
	Dialog   string // what it waits for, in its own words
	Asks     bool   // it is the agent that asks; else a person has opened the dialog
	At       time.Time
	Version  string
	Session  string // the conversation that it is about; empty: it does not say
}

// Activity is what an agent does.
type Activity string

// The activities.
const (
	ActivityIdle    Activity = "idle"
	ActivityBusy    Activity = "busy"
	ActivityWaiting Activity = "waiting"
)

// All lists the kinds. The first is what a host starts when nobody says which.
func All() []Kind {
	return []Kind{Claude()}
}

// Find looks a kind up by name; an empty name means the first.
func Find(kinds []Kind, name string) (Kind, bool) {
	at := slices.IndexFunc(kinds, func(k Kind) bool { return name == "" || k.Name == name })
	if at < 0 {
		return Kind{}, false
	}
	return kinds[at], true
}

// Judging finds the kind whose tools' calls the hook of this event announces.
func Judging(kinds []Kind, event string) (Kind, bool) {
	at := slices.IndexFunc(kinds, func(k Kind) bool { return k.JudgedHook == event })
	if at < 0 {
		return Kind{}, false
	}
	return kinds[at], true
}

// ReplacesForm reports whether this is the hook of a form that was closed without an answer, in whose place ours may go.
func ReplacesForm(kinds []Kind, event string, payload []byte) bool {
	at := slices.IndexFunc(kinds, func(k Kind) bool { return k.FormResultHook == event })
	if at < 0 {
		return false
	}
	hook, err := kinds[at].ReadHook(payload)
	return err == nil && hook.Action == FormCancelled
}

// Holds reports whether the hook of this event waits for our answer.
func Holds(kinds []Kind, event string) bool {
	return slices.ContainsFunc(kinds, func(k Kind) bool { return k.HeldHook == event })
}
