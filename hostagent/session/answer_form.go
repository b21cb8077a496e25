package session

import (
	"context"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// formShows is how long a dialog may take to open after the hook that announces it, and to close after its key.
const formShows = 5 * time.Second

// answerForm closes the dialog of an MCP server's question, and puts the answer in the place of the one that the agent
// would give then. Should that fail in between, the question is cancelled: never is something else said.
func (s *session) answerForm(ctx context.Context, client *holder.Client, asked protocol.Prompt, payload []byte, note answerNote) error {
	free, err := s.typing.take(ctx, whileTyping)
	if err != nil {
		return err
	}
	defer free()
	reply, err := s.kind.Reply(payload, agentkind.Answer{
		Actor: note.Actor, Option: note.Answer.Option, Text: note.Answer.Text, Choices: note.Answer.Choices,
	})
	if err != nil {
		return protocol.Errorf(protocol.CodeInvalid, "%v", err)
	}
	if err := s.formIsNext(asked.ID); err != nil {
		return err
	}
	if err := s.untilFormShows(ctx, client, asked, payload); err != nil {
		return err
	}
	if err := s.note(ctx, client, noteAnswer, note); err != nil {
		return err
	}
	s.setClosing(asked.ID)
	defer s.setClosing("")
	hook, err := s.closeForm(ctx, client, asked.ID, payload)
	if err != nil {
		return err
	}
	if err := client.Answer(ctx, hook, reply); err != nil {
		return err
	}
	return s.until(ctx, func(f *fold) bool { p := f.prompts[asked.ID]; return p.handed() || p.settlement != nil })
}

// formIsNext refuses an answer to a form that another stands before: the dialogs of two may look alike.
func (s *session) formIsNext(id protocol.PromptID) error {
	var err error
	s.view(func(f *fold) {
		if p := f.formBefore(id); p != nil {
			err = protocol.Errorf(protocol.CodeConflict, "the terminal shows another question first: answer prompt %s (%s) before this one", p.ID, p.Title)
		}
	})
	return err
}

func (s *session) setClosing(id protocol.PromptID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = id
	s.signal()
}

// untilFormShows waits until the dialog is open and takes keys.
func (s *session) untilFormShows(ctx context.Context, client *holder.Client, asked protocol.Prompt, payload []byte) error {
	if err := sleep(ctx, dialogAge-s.now().Sub(asked.AskedAt)); err != nil {
		return err
	}
	for until := s.now().Add(formShows); ; {
		screen, err := client.Screen(ctx)
		if err != nil || s.kind.ShowsForm(screen.Lines, payload) {
			return err
		}
		if s.now().After(until) {
			return protocol.Errorf(protocol.CodeConflict, "the terminal does not show this question now; another dialog may be open before it")
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// pressCloseForm closes the dialog if the terminal shows it: what a person does to it at that moment comes first.
func (s *session) pressCloseForm(ctx context.Context, client *holder.Client, payload []byte) (pressed bool, err error) {
	for try := 1; try <= looksAgain; try++ {
		look, err := client.Look(ctx, settled, lookPatience)
		if err != nil {
			return false, err
		}
		screen, err := client.Screen(ctx)
		if err != nil || !s.kind.ShowsForm(screen.Lines, payload) {
			return false, err
		}
		look.Seen.AnyOutput = try == looksAgain // it draws all the time
		if pressed, err := s.press(ctx, client, s.kind.CloseForm, look.Seen); pressed || err != nil {
			return pressed, err
		}
	}
	return false, nil
}

// closeForm presses the key until the agent reports that the dialog was closed, and returns the hook that does. One that
// somebody at the terminal closed first is his.
func (s *session) closeForm(ctx context.Context, client *holder.Client, id protocol.PromptID, payload []byte) (holder.HookID, error) {
	var hook holder.HookID
	closed := func(f *fold) bool {
		p := f.prompts[id]
		hook = p.form.result
		return hook != "" || p.closing != nil || p.settlement != nil
	}
	ours := false // it was closed by our key, not by somebody at the terminal
	for range interruptTries {
		pressed, err := s.pressCloseForm(ctx, client, payload)
		if err != nil {
			return "", err
		}
		ours = ours || pressed
		shows, cancel := context.WithTimeout(ctx, formShows)
		err = s.until(shows, closed)
		cancel()
		if err == nil && hook != "" && ours {
			return hook, nil
		}
		if err == nil || ctx.Err() != nil {
			return "", holder.ErrHookGone
		}
	}
	return "", protocol.Errorf(protocol.CodeUnavailable, "the dialog does not react to keys; answer it at the terminal")
}
