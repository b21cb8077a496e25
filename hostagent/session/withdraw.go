package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// Withdraw takes back a message or an answer whose fate its sender does not know, or for a person also a message that
// waits to be typed. What has not been begun never will be, also after this process was killed: a session that lives has
// that in its journal.
func (m *Manager) Withdraw(ctx context.Context, r protocol.WithdrawCommandRequest) (protocol.WithdrawCommandReply, error) {
	if r.Command == "" {
		return protocol.WithdrawCommandReply{}, protocol.Errorf(protocol.CodeInvalid, "the withdrawal names no command_id")
	}
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.WithdrawCommandReply{}, err
	}
	free, err := s.acting.take(ctx, whileActing)
	if err != nil {
		return protocol.WithdrawCommandReply{}, err
	}
	defer free()
	if err := s.knowTaken(ctx); err != nil {
		return protocol.WithdrawCommandReply{}, err
	}
	reply, withdrawn := s.fateOf(r.Command)
	late := reply.Acted && (r.Actor == "" || !waits(reply))
	if late || withdrawn || s.exited() { // an agent that has exited takes no command
		return reply, nil
	}
	client, err := s.dial(ctx)
	if errors.Is(err, holder.ErrGone) {
		return reply, nil
	}
	if err != nil {
		return reply, unavailable("withdrawing", err)
	}
	defer client.Close()
	note := withdrawnNote{ID: r.Command, Actor: r.Actor}
	if waits(reply) {
		err = s.noteTakenBack(ctx, client, note)
	} else {
		err = s.noteWithdrawal(ctx, client, note)
	}
	if err != nil {
		return reply, err
	}
	reply, _ = s.fateOf(r.Command) // whoever sent it may have given up while it was on its way to the journal
	return reply, nil
}

// noteWithdrawal notes that a command is taken back when nothing of it is on its way to the terminal any more: from this
// process, since what it types is waited for; or from one before it, since a holder types nothing for whoever looked
// before something else was typed, be it nothing at all.
func (s *session) noteWithdrawal(ctx context.Context, client *holder.Client, note withdrawnNote) error {
	free, err := s.typing.take(ctx, whileTyping)
	if err != nil {
		return err
	}
	defer free()
	if err := client.Write(ctx, nil); err != nil {
		return unavailable("withdrawing", err)
	}
	return s.noteWithdrawn(ctx, client, note)
}

// noteTakenBack does so for a message that waits. Another one may be on its way to the terminal, which can take long: it is
// enough that this one's keys are not begun. A process before this one can have begun them only if nothing was typed since.
func (s *session) noteTakenBack(ctx context.Context, client *holder.Client, note withdrawnNote) error {
	free, err := s.deciding.take(ctx, whileTyping)
	if err != nil {
		return err
	}
	defer free()
	if free, ok := s.typing.try(); ok {
		defer free()
		if err := client.Write(ctx, nil); err != nil {
			return unavailable("withdrawing", err)
		}
	}
	return s.noteWithdrawn(ctx, client, note)
}

func (s *session) noteWithdrawn(ctx context.Context, client *holder.Client, note withdrawnNote) error {
	if err := s.note(ctx, client, noteWithdrawn, note); err != nil {
		return protocol.Errorf(protocol.CodeInternal, "withdrawing: %v", err)
	}
	return nil
}

// fateOf says what has become of a command that carries a message or an answer. An answer that was noted but not handed
// over, because this process was killed in between, was not acted on.
func (s *session) fateOf(command protocol.CommandID) (reply protocol.WithdrawCommandReply, withdrawn bool) {
	s.view(func(f *fold) {
		withdrawn = f.withdrawn[command]
		if m := f.messages[protocol.MessageID(command)]; m != nil {
			state := m.state
			reply.Acted, reply.Message, reply.Typing = true, &state, m.typing && state.Status == protocol.MessageQueued
			return
		}
		for _, p := range f.prompts {
			if p.answer != nil && p.answer.Command == command && p.handed() {
				reply.Acted = true
			}
		}
	})
	return reply, withdrawn
}

// waits reports whether a command carried a message of which nothing is typed yet.
func waits(fate protocol.WithdrawCommandReply) bool {
	return fate.Message != nil && fate.Message.Status == protocol.MessageQueued && !fate.Typing
}

// notWithdrawn refuses a command that was taken back before it came.
func (s *session) notWithdrawn(command protocol.CommandID) error {
	if _, withdrawn := s.fateOf(command); withdrawn {
		return takenBack()
	}
	return nil
}

// withdrawnFile stands in the directory of a session whose start was taken back before it came.
const withdrawnFile = "withdrawn"

// WithdrawSession takes back a session's start whose fate its sender does not know. What has not been begun never will
// be, also after this process was killed.
func (m *Manager) WithdrawSession(ctx context.Context, r protocol.WithdrawSessionRequest) (protocol.WithdrawSessionReply, error) {
	if _, err := protocol.ParseSessionID(string(r.Session)); err != nil {
		return protocol.WithdrawSessionReply{}, protocol.Errorf(protocol.CodeInvalid, "%v", err)
	}
	free, err := m.creating.take(ctx, whileStarting)
	if err != nil {
		return protocol.WithdrawSessionReply{}, err
	}
	defer free()
	dir := m.dir(r.Session)
	if exists(filepath.Join(dir, birthFile)) {
		return protocol.WithdrawSessionReply{Started: true}, nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return protocol.WithdrawSessionReply{}, unavailable("withdrawing", err)
	}
	if err := errors.Join(replaceFile(filepath.Join(dir, withdrawnFile), nil), syncDirectory(m.Dir)); err != nil {
		return protocol.WithdrawSessionReply{}, protocol.Errorf(protocol.CodeInternal, "withdrawing: %v", err)
	}
	return protocol.WithdrawSessionReply{}, nil
}

// startWithdrawn refuses a start that was taken back before it came.
func (m *Manager) startWithdrawn(id protocol.SessionID) error {
	if exists(filepath.Join(m.dir(id), withdrawnFile)) {
		return takenBack()
	}
	return nil
}

func takenBack() error {
	return protocol.Errorf(protocol.CodeUnavailable, "the command was taken back before it reached this host; nothing was done")
}
