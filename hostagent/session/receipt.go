package session

import (
	"context"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const (
	// submitAgain: under load the agent misses a submit now and then (2 of 50, measured).
	submitAgain = 1500 * time.Millisecond
	// receiptPatience is how long an idle agent that draws nothing may take to confirm a message.
	receiptPatience = 10 * time.Second
	// receiptLimit is how long one that draws may: it takes a long message in line by line.
	receiptLimit = 3 * time.Minute
	// perByte and perLine are how much longer all that may take on a busy machine. The agent takes in a paste of a few
	// lines at a time, and draws nothing if its box looks the same after it: 3,011 equal lines of one Hebrew word took it
	// 17 s on an idle machine, and 62 s were too few on a busy one.
	perByte = time.Millisecond
	perLine = 50 * time.Millisecond
)

// awaitReceipt waits for the agent's own word that it has the message. It waits without end while the agent
// works on something else, since it takes the message when it is done with that. If this process typed it, at
// typedAt, it may submit it once more.
func (s *session) awaitReceipt(ctx context.Context, client *holder.Client, id protocol.MessageID, typedAt *time.Time) error {
	var unproven string
	var longer time.Duration
	s.view(func(f *fold) {
		unproven = f.withheld(agentkind.FeatureReceipts)
		if m := f.messages[id]; m != nil {
			longer = time.Duration(len(m.Text))*perByte + time.Duration(strings.Count(m.Text, "\n"))*perLine
		}
	})
	since, limit := s.now(), s.now().Add(receiptLimit+longer)
	for {
		final, listening, changed := s.receipt(id, &since)
		if final {
			s.aside = false // it came back when the message was submitted
			return nil
		}
		if unproven != "" {
			detail := "it was typed; whether the agent has it cannot be told, since " + unproven
			return s.note(ctx, client, noteUnconfirmed, messageStep{ID: id, Detail: detail})
		}
		if !listening {
			if err := wait(ctx, changed); err != nil {
				return err
			}
			since, limit = s.now(), s.now().Add(receiptLimit+longer)
			continue
		}
		silent, err := s.silence(ctx, client, since, limit)
		switch {
		case err != nil:
			return err
		case silent >= receiptPatience+longer:
			detail := "it was typed, but the agent has not confirmed it; look at the terminal before you send it again"
			return s.note(ctx, client, noteUnconfirmed, messageStep{ID: id, Detail: detail})
		case typedAt != nil && !s.aside && silent >= submitAgain+longer/10: // it could submit the draft
			done, err := s.submitAgain(ctx, client, *typedAt)
			if err != nil {
				return err
			}
			if done {
				typedAt = nil
			}
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// silence is how long an idle agent has neither confirmed a message nor drawn anything, since that time.
func (s *session) silence(ctx context.Context, client *holder.Client, since, limit time.Time) (time.Duration, error) {
	now := s.now()
	if now.Sub(since) < submitAgain || now.After(limit) {
		return now.Sub(since), nil
	}
	status, err := client.Status(ctx)
	return now.Sub(later(since, status.LastOutput)), err
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

// submitAgain submits what still stands in the input box, unless a person may have written in it. If something came over
// the terminal meanwhile, it is not done.
func (s *session) submitAgain(ctx context.Context, client *holder.Client, typedAt time.Time) (done bool, err error) {
	free, err := s.typing.wait(ctx)
	if err != nil {
		return false, err
	}
	defer free()
	look, err := client.Look(ctx, settled, lookPatience)
	if err != nil || look.LastInput.After(typedAt) || s.kind.ReadBox(look.Strong) == agentkind.BoxEmpty {
		return err == nil, err
	}
	return s.press(ctx, client, s.kind.Submit, look.Seen)
}
