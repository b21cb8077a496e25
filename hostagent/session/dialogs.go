package session

import (
	"context"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const (
	dialogEvery = 250 * time.Millisecond
	// dialogAge: a dialog ignores keys that come less than about 0.8 s after it appeared.
	dialogAge = time.Second
	// dialogPatience bounds the wait for a dialog to react to a key.
	dialogPatience = 2 * time.Second
)

// watchDialogs looks at the screen for what nothing else reports: the dialogs before the first conversation, and later
// one that the agent's status tells of without saying what it asks.
func (s *session) watchDialogs(ctx context.Context, client *holder.Client) error {
	for {
		if err := s.until(ctx, (*fold).mayShowDialog); err != nil {
			return err
		}
		if err := s.retryLater(ctx, "dialog not read", s.watchDialog(ctx, client)); err != nil {
			return err
		}
		if err := sleep(ctx, s.dialogPause()); err != nil {
			return err
		}
	}
}

// dialogPause is until the next look at the screen. A dialog that a person has opened in a session may stay for long.
func (s *session) dialogPause() time.Duration {
	pause := dialogEvery
	s.view(func(f *fold) {
		if f.ready {
			pause = quietEvery
		}
	})
	return pause
}

// watchDialog notes when a dialog appears and when it is gone.
func (s *session) watchDialog(ctx context.Context, client *holder.Client) error {
	screen, err := client.Screen(ctx)
	if err != nil {
		return err
	}
	var known, note dialogNote
	var expected, isDialog bool
	s.view(func(f *fold) {
		known, expected = f.dialog, f.mayShowDialog()
		var seen agentkind.Dialog
		if seen, isDialog = f.dialogOn(screen.Lines, s.now()); isDialog {
			note = dialogNote{ID: protocol.PromptID(protocol.NewID()), Name: seen.Name, Unreported: seen.Unreported}
			p := f.promptOf(note.ID, time.Time{}, *seen.Ask)
			note.Prompt = &p
		}
		isDialog = isDialog && !f.dialogFollowed()
	})
	switch {
	case !expected || isDialog && known.Name == note.Name || !isDialog && known.ID == "":
		return nil
	case known.ID != "":
		return s.note(ctx, client, noteDialogGone, dialogStep{ID: known.ID})
	}
	return s.note(ctx, client, noteDialog, note)
}

// answerDialog presses the keys that choose an option, as long as the screen shows exactly the dialog that was
// read.
func (s *session) answerDialog(ctx context.Context, client *holder.Client, asked protocol.Prompt, note answerNote) error {
	free, err := s.typing.take(ctx, whileTyping)
	if err != nil {
		return err
	}
	defer free()
	if err := sleep(ctx, dialogAge-s.now().Sub(asked.AskedAt)); err != nil {
		return err
	}
	option := note.Answer.Option
	dialog, err := s.sameDialog(ctx, client, asked)
	if err != nil {
		return err
	}
	keys, ok := dialog.Keys[option]
	if !ok || note.Answer.Text != "" || len(note.Answer.Choices) > 0 {
		return protocol.Errorf(protocol.CodeInvalid, "answer this dialog with one of its options: allow or deny")
	}
	if dialog.Selected != option {
		if err := client.Write(ctx, keys.Move); err != nil {
			return err
		}
		if err := s.untilSelected(ctx, client, asked, option); err != nil {
			return err
		}
	}
	if err := s.note(ctx, client, noteAnswer, note); err != nil {
		return err
	}
	return s.confirm(ctx, client, asked, option, keys.Confirm)
}

// confirm presses the key that confirms what is selected, as long as nobody at the terminal selects something else.
func (s *session) confirm(ctx context.Context, client *holder.Client, asked protocol.Prompt, option string, key []byte) error {
	pressing, err := holder.NewNote(noteDialogPressed, dialogStep{ID: asked.ID})
	if err != nil {
		return err
	}
	for range looksAgain {
		look, err := client.Look(ctx, settled, lookPatience)
		if err != nil {
			return err
		}
		dialog, err := s.sameDialog(ctx, client, asked)
		if err != nil {
			return err
		}
		if dialog.Selected != option {
			break
		}
		if pressed, err := s.press(ctx, client, key, look.Seen, pressing); pressed || err != nil {
			return err
		}
	}
	return protocol.Errorf(protocol.CodeConflict, "somebody uses this dialog at the terminal now")
}

func (s *session) untilSelected(ctx context.Context, client *holder.Client, asked protocol.Prompt, option string) error {
	until := s.now().Add(dialogPatience)
	for s.now().Before(until) {
		dialog, err := s.sameDialog(ctx, client, asked)
		if err != nil || dialog.Selected == option {
			return err
		}
		if err := sleep(ctx, lookEvery/2); err != nil {
			return err
		}
	}
	return protocol.Errorf(protocol.CodeUnavailable, "the dialog does not react to keys; answer it at the terminal")
}

// sameDialog reads the dialog off the screen again.
func (s *session) sameDialog(ctx context.Context, client *holder.Client, asked protocol.Prompt) (agentkind.Dialog, error) {
	screen, err := client.Screen(ctx)
	if err != nil {
		return agentkind.Dialog{}, err
	}
	dialog, ok := s.kind.ReadScreen(screen.Lines)
	if !ok {
		return agentkind.Dialog{}, protocol.Errorf(protocol.CodeConflict, "the dialog is no longer on the screen")
	}
	var now protocol.Prompt
	s.view(func(f *fold) { now = f.promptOf(asked.ID, asked.AskedAt, *dialog.Ask) })
	if now.Digest != asked.Digest {
		return agentkind.Dialog{}, protocol.Errorf(protocol.CodeConflict, "the screen shows another dialog now")
	}
	return dialog, nil
}
