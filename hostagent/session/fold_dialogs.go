package session

import (
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// dialogSeen takes in a dialog that only the screen reports.
func (f *fold) dialogSeen(at time.Time, note dialogNote) {
	if note.Unreported && f.openPrompt() != nil {
		return // its hook came in between
	}
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
	if f.activity.state == protocol.StateWaiting && !f.ready {
		f.does(protocol.StateStarting, evidence, at)
	}
}

// dialogReported: the hook of a dialog has come late, when it was already told as one that no hook reports.
func (f *fold) dialogReported(at time.Time, evidence string) {
	p := f.prompts[f.dialog.ID]
	if !f.dialog.Unreported || p == nil || p.settlement != nil {
		return
	}
	p.close(closing{at: at, evidence: evidence, outcome: protocol.OutcomeWithdrawn, where: protocol.WhereNobody, now: true})
	f.settleOverdue(at)
	f.dialog = dialogNote{}
}

// dialogFollowed: the agent has been at work since it asked what was told, and asks again.
func (f *fold) dialogFollowed() bool {
	p := f.prompts[f.dialog.ID]
	return f.dialog.Unreported && p != nil && f.status.At.After(p.AskedAt)
}

// mayShowDialog reports whether the screen may show a dialog that no hook reports, or one that was seen may be gone.
func (f *fold) mayShowDialog() bool {
	waits := f.status.Activity == agentkind.ActivityWaiting && f.openPrompt() == nil
	return f.session.ExitedAt == nil && (!f.ready || f.dialog.ID != "" || waits)
}

// dialogOn reads the dialog that no hook reports off the screen. In a session that has begun, the words of the
// conversation could look like a dialog that takes keys; there the agent's status must say that it waits.
func (f *fold) dialogOn(screen []string, now time.Time) (agentkind.Dialog, bool) {
	seen, isDialog := f.kind.ReadScreen(screen)
	if !f.ready {
		return seen, isDialog
	}
	if f.status.Activity != agentkind.ActivityWaiting {
		return agentkind.Dialog{}, false
	}
	if isDialog && seen.Ask.AtTerminal != "" {
		return seen, true
	}
	// The hook of a question comes up to 0.1 s after the status.
	if f.status.Asks && (f.dialog.ID != "" || now.Sub(f.status.At) >= statusSettles && f.openPrompt() == nil) {
		return f.kind.ReadUnreported(f.status, screen), true
	}
	return agentkind.Dialog{}, false
}
