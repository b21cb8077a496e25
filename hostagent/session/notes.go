package session

import (
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// What the host agent itself does to a session is noted in the session's journal before it is done, so that it
// is done once whatever happens in between. These are the kinds of note beside the holder's kinds of entry.
const (
	noteMessage       = "message"           // messageNote: accepted from the control plane, to be typed
	noteWaiting       = "message_waiting"   // messageStep: why it is not typed yet
	noteTyping        = "message_typing"    // messageStep: from here on it is never typed again
	noteSubmitted     = "message_submitted" // messageStep: all its keys and the submit are typed
	noteUnconfirmed   = "message_unconfirmed"
	noteAnswer        = "answer"          // answerNote: about to be handed to the agent
	noteDialog        = "dialog"          // dialogNote: seen on the screen
	noteDialogGone    = "dialog_gone"     // dialogStep: no longer on the screen
	noteDialogPressed = "dialog_answered" // dialogStep: the key that confirms is about to be pressed
	noteCommand       = "command"         // commandNote
	noteWithdrawn     = "withdrawn"       // withdrawnNote: is never acted on, should it still come or be queued
)

type messageNote struct {
	ID      protocol.MessageID `json:"message_id"`
	Command protocol.CommandID `json:"command_id"`
	Actor   string             `json:"actor"`
	Text    string             `json:"text"` // as it will be typed
}

type messageStep struct {
	ID     protocol.MessageID `json:"message_id"`
	Detail string             `json:"detail,omitempty"`
}

type answerNote struct {
	Prompt  protocol.PromptID  `json:"prompt_id"`
	Command protocol.CommandID `json:"command_id"`
	Actor   string             `json:"actor"`
	Answer  protocol.Answer    `json:"answer"`
}

type dialogNote struct {
	ID   protocol.PromptID `json:"id"`
	Name string            `json:"name"`
	// Unreported says that it was read because the agent's status says that it waits.
	Unreported bool `json:"unreported,omitempty"`
	// Prompt is what the dialog asks; nil in what an older version noted of one that is answered at the terminal only.
	Prompt *protocol.Prompt `json:"prompt,omitempty"`
}

type dialogStep struct {
	ID protocol.PromptID `json:"id"`
}

// commandNote remembers a command that leaves no other trace.
type commandNote struct {
	ID    protocol.CommandID `json:"command_id"`
	Name  string             `json:"name"` // commandTerminate or commandInterrupt
	Actor string             `json:"actor"`
	Force bool               `json:"force,omitempty"`
}

type withdrawnNote struct {
	ID    protocol.CommandID `json:"command_id"`
	Actor string             `json:"actor,omitempty"` // who takes it back, though it be queued; empty: its fate was not known
}

const (
	commandTerminate = "terminate"
	commandInterrupt = "interrupt"
)

// endsBy says who ends a session by this command, and how.
func (n commandNote) endsBy() string {
	if n.Force {
		return "killed by " + outgoingLine(n.Actor)
	}
	return "terminated by " + outgoingLine(n.Actor)
}

// entryTime keeps whole milliseconds: what crosses to Postgres must compare equal when it comes back.
func entryTime(e holder.Entry) time.Time { return e.At.UTC().Truncate(time.Millisecond) }
