package session

import (
	"time"

	"switchboard/hostagent/protocol"
)

// dialogSeen takes in a dialog that only the screen reports.
func (f *fold) dialogSeen(at time.Time, note dialogNote) {
	f.dialog = note
	evidence := "screen: " + note.Name + " dialog"
	if note.Prompt == nil {
		f.does(protocol.StateWaiting, evidence, at)
		return
	}
	p := *note.Prompt
	p.AskedAt = at
	p.Digest = p.Sum()
	f.open(&prompt{Prompt: p, evidence: evidence})
}

// dialogPressed is the last thing before the key that confirms.
func (f *fold) dialogPressed(at time.Time, step dialogStep) {
	if p := f.prompts[step.ID]; p != nil && p.answer != nil {
		p.handedAt = at
	}
}

func (f *fold) dialogGone(at time.Time, step dialogStep) {
	if f.dialog.ID == step.ID {
		f.dialogLeft(at, "screen")
	}
}

// dialogLeft: the dialog is over, and since the agent went on, it was not refused.
func (f *fold) dialogLeft(at time.Time, evidence string) {
	if f.dialog.ID == "" {
		return
	}
	if p := f.prompts[f.dialog.ID]; p != nil && p.settlement == nil {
		p.close(p.ran(at, evidence, ""))
		p.closing.now = true
		f.settleOverdue(at)
	}
	f.dialog = dialogNote{}
	if f.activity.state == protocol.StateWaiting {
		f.does(protocol.StateStarting, evidence, at)
	}
}
