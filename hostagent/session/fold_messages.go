package session

import (
	"slices"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// message is one text that the control plane wants typed.
type message struct {
	messageNote
	state       protocol.MessageState
	typing      bool // its keys may have been typed: never again
	run         int  // in which they were
	submittedAt time.Time
}

func (f *fold) messageQueued(at time.Time, note messageNote) {
	if f.messages[note.ID] != nil || f.withdrawn[note.Command] { // its sender was told that nothing was done
		return
	}
	f.messages[note.ID] = &message{messageNote: note}
	f.queue = append(f.queue, note.ID)
	f.messageBecomes(at, note.ID, protocol.MessageQueued, "")
}

// messageWaits says why a message is not typed yet; an empty detail, that nothing hinders it any more.
func (f *fold) messageWaits(at time.Time, step messageStep) {
	if m := f.messages[step.ID]; m != nil && !m.typing {
		f.messageBecomes(at, step.ID, protocol.MessageQueued, outgoingLine(step.Detail))
	}
}

func (f *fold) messageTyping(_ time.Time, step messageStep) {
	if m := f.messages[step.ID]; m != nil && !m.typing {
		m.typing, m.run = true, f.runs
		f.unshown = append(f.unshown, step.ID)
	}
}

func (f *fold) messageSubmitted(at time.Time, step messageStep) {
	if m := f.messages[step.ID]; m != nil && !m.state.Status.Final() {
		m.submittedAt = at
		f.messageBecomes(at, step.ID, protocol.MessageDelivered, "")
	}
}

func (f *fold) messageUnconfirmed(at time.Time, step messageStep) {
	f.messageBecomes(at, step.ID, protocol.MessageNotConfirmed, step.Detail)
}

// messageTakenBack ends a message that waits. Of one that was typed meanwhile it changes nothing.
func (f *fold) messageTakenBack(at time.Time, id protocol.MessageID, actor string) {
	if m := f.messages[id]; m != nil && !m.typing {
		f.messageBecomes(at, id, protocol.MessageWithdrawn, "taken back by "+outgoingLine(actor)+"; nothing was typed")
	}
}

// messageReceived is the agent's receipt. A message that somebody typed at the terminal has one too.
func (f *fold) messageReceived(at time.Time, text string) {
	if f.withheld(agentkind.FeatureReceipts) != "" {
		return
	}
	for _, id := range f.queue {
		if m := f.messages[id]; m.typing && f.kind.SameMessage(m.Text, text) {
			f.messageBecomes(at, id, protocol.MessageAccepted, "")
			return
		}
	}
}

// failMessages settles what an exit leaves open.
func (f *fold) failMessages(at time.Time) {
	for _, id := range slices.Clone(f.queue) {
		if f.messages[id].typing {
			f.messageBecomes(at, id, protocol.MessageNotConfirmed, "the agent exited before it confirmed the message")
			continue
		}
		f.messageBecomes(at, id, protocol.MessageFailed, "the agent exited before the message was typed")
	}
}

// messageBecomes is the only place that assigns a message's state.
func (f *fold) messageBecomes(at time.Time, id protocol.MessageID, status protocol.MessageStatus, detail string) {
	m := f.messages[id]
	next := protocol.MessageState{ID: id, Status: status, Detail: detail}
	if m == nil || m.state.Status.Final() || m.state == next {
		return
	}
	m.state = next
	if status.Final() {
		f.queue = slices.DeleteFunc(f.queue, func(other protocol.MessageID) bool { return other == id })
	}
	f.tell(at, protocol.EventMessage, m.state)
}

func (f *fold) rememberMessage(state protocol.MessageState) {
	m := f.messages[state.ID]
	if m == nil {
		return
	}
	m.state = state
	if state.Status.Final() {
		f.queue = slices.DeleteFunc(f.queue, func(id protocol.MessageID) bool { return id == state.ID })
	}
}

// messageOf finds the message that a person's line in the transcript came from, if from here. The line may be
// there before the receipt is.
func (f *fold) messageOf(text string) protocol.MessageID {
	for _, id := range f.unshown {
		if f.kind.SameMessage(f.messages[id].Text, text) {
			f.shown(id)
			return id
		}
	}
	return ""
}

func (f *fold) shown(id protocol.MessageID) {
	f.unshown = slices.DeleteFunc(f.unshown, func(other protocol.MessageID) bool { return other == id })
}

// idle reports whether a message that is typed now is the next that the agent deals with, at once.
func (f *fold) idle() bool { return f.session.State == protocol.StateIdle && f.deaf() == "" }
