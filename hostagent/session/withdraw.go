package session

import (
	"context"
	"errors"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// Withdraw takes back a message or an answer whose fate its sender does not know. What has not been begun never will
// be, also after this process was killed: a session that lives has that in its journal.
func (m *Manager) Withdraw(ctx context.Context, r protocol.WithdrawCommandRequest) (protocol.WithdrawCommandReply, error) {
	if r.Command == "" {
		return protocol.WithdrawCommandReply{}, protocol.Errorf(protocol.CodeInvalid, "the withdrawal names no command_id")
	}
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.WithdrawCommandReply{}, err
	}
	s.acting.Lock()
	defer s.acting.Unlock()
	reply, withdrawn := s.fateOf(r.Command)
	if reply.Acted || withdrawn || s.exited() { // an agent that has exited takes no command
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
	if err := s.note(ctx, client, noteWithdrawn, withdrawnNote{ID: r.Command}); err != nil {
		return reply, protocol.Errorf(protocol.CodeInternal, "withdrawing: %v", err)
	}
	return reply, nil
}

// fateOf says what has become of a command that carries a message or an answer. An answer that was noted but not handed
// over, because this process was killed in between, was not acted on.
func (s *session) fateOf(command protocol.CommandID) (reply protocol.WithdrawCommandReply, withdrawn bool) {
	s.view(func(f *fold) {
		withdrawn = f.withdrawn[command]
		if m := f.messages[protocol.MessageID(command)]; m != nil {
			state := m.state
			reply.Acted, reply.Message = true, &state
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

// notWithdrawn refuses a command that was taken back before it came.
func (s *session) notWithdrawn(command protocol.CommandID) error {
	if _, withdrawn := s.fateOf(command); withdrawn {
		return protocol.Errorf(protocol.CodeUnavailable, "the command was taken back before it reached this host; nothing was done")
	}
	return nil
}
