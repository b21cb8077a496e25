package session

import (
	"context"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
)

const (
	// settled: the agent has drawn a whole screen when it has drawn nothing for that long. An idle one is so at once.
	settled = 30 * time.Millisecond
	// quietAfterTyping: the agent has taken in what was typed when it has drawn nothing for that long.
	quietAfterTyping = 120 * time.Millisecond
	// lookPatience bounds the wait for that: a working agent may draw all the time.
	lookPatience = 2 * time.Second
	// draftPatience is how long after a person's last key their draft is put aside.
	draftPatience = 5 * time.Second
	// stashAgain is how long an agent may take to put a draft aside, before the keys are pressed again. A dialog that had
	// just opened may have taken them.
	stashAgain = 10 * time.Second
	// viewerPause is how long after a person's last key nothing is typed in any case.
	viewerPause = 2 * time.Second
)

// Why a message waits although the agent listens.
const (
	hinderedByTyping = "somebody is typing at the terminal"
	hinderedByDraft  = "unsent text stands in the agent's input box" // mostly a person's draft
	hinderedByScreen = "the agent's input box cannot be seen at the terminal"
)

// clearBox makes sure that the input box is empty, or says what hinders it. A person's draft is left alone while
// they type; later it is put aside, and the agent brings it back after the next submit.
func (s *session) clearBox(ctx context.Context, client *holder.Client) (look holder.Look, hindered string, err error) {
	look, err = client.Look(ctx, settled, lookPatience)
	if err != nil {
		return look, "", err
	}
	hindered = s.hinders(look)
	if hindered == "" {
		s.stashing = nil // whatever was to be put aside is
	}
	// The keys that put a draft aside bring it back at their second time. A busy agent may be slow to take them, so
	// they are not sent again before it has, or a person has typed since, or for long.
	sent := s.stashing != nil && s.stashing.Equal(look.LastInput) && s.now().Sub(s.stashed) < stashAgain
	if hindered != hinderedByDraft || s.now().Sub(look.LastInput) < draftPatience || sent {
		return look, hindered, nil
	}
	lastInput := look.LastInput
	pressed, err := s.press(ctx, client, s.kind.StashDraft, look.Seen)
	if pressed {
		s.stashing, s.stashed, s.aside = &lastInput, s.now(), true
	}
	if err != nil || !pressed {
		return look, hindered, err
	}
	look, err = client.Look(ctx, quietAfterTyping, lookPatience)
	if err != nil {
		return look, "", err
	}
	hindered = s.hinders(look)
	if hindered == "" {
		s.stashing = nil
	}
	return look, hindered, nil
}

// hinders says what in the terminal hinders typing. What cannot be seen hinders too: while the agent draws, the
// screen may for a moment show no draft although there is one.
func (s *session) hinders(look holder.Look) string {
	if s.now().Sub(look.LastInput) < viewerPause {
		return hinderedByTyping
	}
	switch s.kind.ReadBox(look.Strong) {
	case agentkind.BoxEmpty:
		return ""
	case agentkind.BoxDraft:
		return hinderedByDraft
	}
	return hinderedByScreen
}

// lookAhead looks at the terminal of an agent that has become idle, so that the next message can be typed without a
// look, if nothing has come over it until then.
func (s *session) lookAhead(ctx context.Context, client *holder.Client) error {
	var idleSince time.Time
	s.view(func(f *fold) {
		if f.idle() {
			idleSince = f.session.StateAt
		}
	})
	if idleSince.IsZero() || idleSince.Equal(s.looked.at) {
		return nil
	}
	look, err := client.LookAhead(ctx, quietAfterTyping, lookPatience)
	if err != nil {
		return err
	}
	s.looked.at, s.looked.look = idleSince, look
	return nil
}

// ahead is what an agent's terminal showed when it had become idle.
type ahead struct {
	at   time.Time // since when it was
	look holder.Look
}
