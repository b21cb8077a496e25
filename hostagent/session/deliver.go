package session

import (
	"context"
	"errors"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const (
	// settled: the agent has drawn a whole screen when it has drawn nothing for that long. An idle one is so at once.
	settled = 30 * time.Millisecond
	// quietAfterTyping: the agent has taken in what was typed when it has drawn nothing for that long.
	quietAfterTyping = 120 * time.Millisecond
	// typingPatience bounds the wait for that: a working agent may draw all the time.
	typingPatience = 2 * time.Second
	// submitAgain: under load the agent misses a submit now and then (2 of 50, measured).
	submitAgain = 1500 * time.Millisecond
	// receiptPatience is how long an idle agent may take to confirm a message.
	receiptPatience = 10 * time.Second
	// draftPatience is how long after a person's last key their draft is put aside.
	draftPatience = 5 * time.Second
	// viewerPause is how long after a person's last key nothing is typed in any case.
	viewerPause = 2 * time.Second
)

// deliver types the queued messages one after the other. The next is only typed when the agent has confirmed the
// one before, or never will: it would merge two that wait into one.
func (s *session) deliver(ctx context.Context, client *holder.Client) error {
	for {
		id, typed, changed := s.nextMessage()
		var err error
		switch {
		case id == "":
			err = wait(ctx, changed)
		case typed:
			err = s.awaitReceipt(ctx, client, id, false)
		default:
			err = s.typeMessage(ctx, client, id)
		}
		if err := s.retryLater(ctx, "message not typed", err); err != nil {
			return err
		}
	}
}

// retryLater keeps a failed call from ending the run: only the holder's end does that, and receive sees it.
func (s *session) retryLater(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil || err == nil {
		return ctx.Err()
	}
	if !errors.Is(err, holder.ErrGone) && !errors.Is(err, holder.ErrLost) {
		s.logger.Warn(what, "err", err)
	}
	return sleep(ctx, 2*lookEvery)
}

// nextMessage is the oldest that is not final.
func (s *session) nextMessage() (id protocol.MessageID, typed bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fold.queue) == 0 {
		return "", false, s.changed
	}
	id = s.fold.queue[0]
	return id, s.fold.messages[id].typing, s.changed
}

// typeMessage waits until the agent listens and no person is typing, types the message, and waits for its receipt.
func (s *session) typeMessage(ctx context.Context, client *holder.Client, id protocol.MessageID) error {
	var deaf string
	s.view(func(f *fold) { deaf = f.deaf() })
	if deaf != "" {
		if err := s.sayWaiting(ctx, client, id, deaf); err != nil {
			return err
		}
		return s.until(ctx, func(f *fold) bool { return f.deaf() != deaf })
	}
	hindered, err := s.typeNow(ctx, client, id)
	if err != nil {
		return err
	}
	if hindered != "" {
		if err := s.sayWaiting(ctx, client, id, hindered); err != nil {
			return err
		}
		return sleep(ctx, 2*lookEvery)
	}
	return s.awaitReceipt(ctx, client, id, true)
}

// sayWaiting tells why a message is not typed yet, unless that was the last thing told of it.
func (s *session) sayWaiting(ctx context.Context, client *holder.Client, id protocol.MessageID, why string) error {
	if state, _ := s.messageState(id); state.Status.Final() || state.Detail == outgoingLine(why) {
		return nil
	}
	return s.note(ctx, client, noteWaiting, messageStep{ID: id, Detail: why})
}

// deaf says why what is typed now would not become a message; empty if it would. Nothing is ever typed into a
// dialog.
func (f *fold) deaf() string {
	p := f.openPrompt()
	switch state := f.session.State; {
	case p != nil:
		return "the agent waits for an answer to a prompt: " + p.Title
	case state == protocol.StateWaiting:
		return "the agent waits in a dialog at the terminal"
	case !f.ready || state == protocol.StateStarting:
		return "the agent is starting"
	case state != protocol.StateIdle && state != protocol.StateWorking:
		return "the session is " + string(state)
	}
	return ""
}

// typeNow says what hinders it, if now is not the time.
func (s *session) typeNow(ctx context.Context, client *holder.Client, id protocol.MessageID) (hindered string, err error) {
	s.typing.Lock()
	defer s.typing.Unlock()
	if hindered, err := s.clearBox(ctx, client); err != nil || hindered != "" {
		return hindered, err
	}
	text, hindered := s.mayType(id)
	if hindered != "" {
		return hindered, nil
	}
	if err := s.note(ctx, client, noteTyping, messageStep{ID: id}); err != nil {
		return "", err
	}
	if err := client.Write(ctx, s.kind.TypeMessage(text)); err != nil {
		return "", err
	}
	if err := waitQuiet(ctx, client, quietAfterTyping); err != nil {
		return "", err
	}
	if err := client.Write(ctx, s.kind.Submit); err != nil {
		return "", err
	}
	return "", s.note(ctx, client, noteSubmitted, messageStep{ID: id})
}

// mayType is the last look before a message is typed. What was typed once, by whatever process, is not typed again.
func (s *session) mayType(id protocol.MessageID) (text, hindered string) {
	s.view(func(f *fold) {
		m := f.messages[id]
		text, hindered = m.Text, f.deaf()
		if m.typing || m.state.Status.Final() {
			hindered = "it was typed before"
		}
	})
	return text, hindered
}

// Why a message waits although the agent listens.
const (
	hinderedByTyping = "somebody is typing at the terminal"
	hinderedByDraft  = "unsent text stands in the agent's input box" // mostly a person's draft
	hinderedByScreen = "the agent's input box cannot be seen at the terminal"
)

// clearBox makes sure that the input box is empty, or says what hinders it. A person's draft is left alone while
// they type; later it is put aside, and the agent brings it back after the next submit.
func (s *session) clearBox(ctx context.Context, client *holder.Client) (hindered string, err error) {
	status, err := client.Status(ctx)
	if err != nil {
		return "", err
	}
	sinceInput := s.now().Sub(status.LastInput)
	if sinceInput < viewerPause {
		return hinderedByTyping, nil
	}
	hindered, err = s.boxHinders(ctx, client, settled)
	if err == nil && hindered == "" {
		s.stashing = nil // whatever was to be put aside is
	}
	// The keys that put a draft aside bring it back at their second time. A busy agent may be slow to take them, so
	// they are not sent again before it has, or a person has typed since.
	sent := s.stashing != nil && s.stashing.Equal(status.LastInput)
	if err != nil || hindered != hinderedByDraft || sinceInput < draftPatience || sent {
		return hindered, err
	}
	if err := client.Write(ctx, s.kind.StashDraft); err != nil {
		return "", err
	}
	s.stashing = &status.LastInput
	hindered, err = s.boxHinders(ctx, client, quietAfterTyping)
	if err == nil && hindered == "" {
		s.stashing = nil
	}
	return hindered, err
}

// boxHinders looks at the input box once the screen is quiet, and says what in it hinders typing. What cannot be seen
// hinders too: while the agent draws, the screen may for a moment show no draft although there is one.
func (s *session) boxHinders(ctx context.Context, client *holder.Client, quiet time.Duration) (hindered string, err error) {
	if err := waitQuiet(ctx, client, quiet); err != nil {
		return "", err
	}
	screen, err := client.Screen(ctx)
	if err != nil {
		return "", err
	}
	switch s.kind.ReadBox(screen.Strong) {
	case agentkind.BoxEmpty:
		return "", nil
	case agentkind.BoxDraft:
		return hinderedByDraft, nil
	}
	return hinderedByScreen, nil
}

// awaitReceipt waits for the agent's own word that it has the message. It waits without end while the agent
// works on something else, since it takes the message when it is done with that.
func (s *session) awaitReceipt(ctx context.Context, client *holder.Client, id protocol.MessageID, maySubmit bool) error {
	since := s.now()
	var unproven string
	s.view(func(f *fold) { unproven = f.withheld(agentkind.FeatureReceipts) })
	for {
		final, listening, changed := s.receipt(id, &since)
		if final {
			return nil
		}
		waited := s.now().Sub(since)
		switch {
		case unproven != "":
			detail := "it was typed; whether the agent has it cannot be told, since " + unproven
			return s.note(ctx, client, noteUnconfirmed, messageStep{ID: id, Detail: detail})
		case !listening:
			if err := wait(ctx, changed); err != nil {
				return err
			}
			since = s.now()
			continue
		case waited >= receiptPatience:
			detail := "it was typed, but the agent has not confirmed it; look at the terminal before you send it again"
			return s.note(ctx, client, noteUnconfirmed, messageStep{ID: id, Detail: detail})
		case maySubmit && waited >= submitAgain:
			maySubmit = false
			if err := s.submitAgain(ctx, client); err != nil {
				return err
			}
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// receipt reports whether the message's fate is known, and whether the agent is idle, so that its silence means
// something. since moves to the moment when it became idle.
func (s *session) receipt(id protocol.MessageID, since *time.Time) (final, idle bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.fold.messages[id]
	final = m == nil || m.state.Status.Final()
	idle = s.fold.session.State == protocol.StateIdle
	if idle {
		*since = later(*since, s.fold.session.StateAt)
	}
	return final, idle, s.changed
}

func (s *session) submitAgain(ctx context.Context, client *holder.Client) error {
	s.typing.Lock()
	defer s.typing.Unlock()
	status, err := client.Status(ctx)
	if err != nil || s.now().Sub(status.LastInput) < viewerPause {
		return err
	}
	return client.Write(ctx, s.kind.Submit)
}

func waitQuiet(ctx context.Context, client *holder.Client, quiet time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, typingPatience)
	defer cancel()
	err := client.WaitQuiet(bounded, quiet)
	if bounded.Err() != nil && ctx.Err() == nil {
		return nil // it draws all the time, so that quiet says nothing
	}
	return err
}

func wait(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
