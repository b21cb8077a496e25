package session

import (
	"context"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// Send takes a message to be typed into the session as soon as its agent listens. The same message again answers
// with what has become of it.
func (m *Manager) Send(ctx context.Context, r protocol.SendMessageRequest) (protocol.SendMessageReply, error) {
	return m.send(ctx, r, (*session).take)
}

// SendIfIdle types a message into a session whose agent is idle. If it cannot be typed at once, nothing is kept of it.
func (m *Manager) SendIfIdle(ctx context.Context, r protocol.SendMessageRequest) (protocol.SendMessageReply, error) {
	return m.send(ctx, r, (*session).takeIfIdle)
}

func (m *Manager) send(ctx context.Context, r protocol.SendMessageRequest,
	take func(*session, context.Context, messageNote) error,
) (protocol.SendMessageReply, error) {
	if r.Message == "" {
		return protocol.SendMessageReply{}, protocol.Errorf(protocol.CodeInvalid, "the message has no message_id")
	}
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.SendMessageReply{}, err
	}
	free, err := s.acting.take(ctx, whileActing)
	if err != nil {
		return protocol.SendMessageReply{}, err
	}
	defer free()
	if err := s.knowTaken(ctx); err != nil {
		return protocol.SendMessageReply{}, err
	}
	if state, known := s.messageState(r.Message); known {
		return protocol.SendMessageReply{Message: state}, nil
	}
	if err := m.accepts(r.Act); err != nil {
		return protocol.SendMessageReply{}, err
	}
	if err := s.notWithdrawn(r.Command); err != nil {
		return protocol.SendMessageReply{}, err
	}
	if err := m.rules().Begin(m.Now()); err != nil {
		return protocol.SendMessageReply{}, fromPolicy(err)
	}
	text, err := s.kind.CleanMessage(r.Text)
	if err != nil {
		return protocol.SendMessageReply{}, protocol.Errorf(protocol.CodeInvalid, "%v", err)
	}
	for _, feature := range []agentkind.Feature{agentkind.FeatureState, agentkind.FeatureMessages} {
		if err := s.may(feature, "type the message at the terminal"); err != nil {
			return protocol.SendMessageReply{}, err
		}
	}
	if err := s.takesMessages(); err != nil {
		return protocol.SendMessageReply{}, err
	}
	note := messageNote{ID: r.Message, Command: r.Command, Actor: r.Actor, Text: text}
	if err := take(s, ctx, note); err != nil {
		return protocol.SendMessageReply{}, err
	}
	return protocol.SendMessageReply{
		Message: protocol.MessageState{ID: r.Message, Status: protocol.MessageQueued}, Changed: s.kind.Changed(r.Text, text),
	}, nil
}

// take notes a message for good: as it is typed, or to be typed later.
func (s *session) take(ctx context.Context, note messageNote) error {
	taken := s.hand(ctx, note)
	if taken.err != nil {
		return protocol.Errorf(protocol.CodeInternal, "typing the message: %v", taken.err)
	}
	if !taken.later {
		s.noted = taken.noted
		return nil
	}
	client, err := s.dial(ctx)
	if err != nil {
		return s.cannotReach(err)
	}
	defer client.Close()
	n, err := client.Append(ctx, noteMessage, note)
	if err != nil {
		return protocol.Errorf(protocol.CodeInternal, "noting the message: %v", err)
	}
	s.noted = n
	return nil
}

// knowTaken waits until the fold knows every message that was taken: the answer to its sender does not wait for that.
func (s *session) knowTaken(ctx context.Context) error {
	last := s.noted
	if err := s.until(ctx, func(f *fold) bool { return f.position.Journal >= last }); err != nil {
		return unavailable("reading what was done last", err)
	}
	return nil
}

func (s *session) messageState(id protocol.MessageID) (state protocol.MessageState, known bool) {
	s.view(func(f *fold) {
		if m := f.messages[id]; m != nil {
			state, known = m.state, true
		}
	})
	return state, known
}

// takesMessages: a message is for an agent that works, or will be ready; a question wants an answer instead.
func (s *session) takesMessages() error {
	var err error
	s.view(func(f *fold) {
		if f.session.ExitedAt != nil {
			err = protocol.Errorf(protocol.CodeConflict, "the session has exited; resume it first")
			return
		}
		if p := f.openPrompt(); p != nil {
			err = promptIsOpen(p)
			return
		}
		if f.session.State == protocol.StateWaiting {
			err = protocol.Errorf(protocol.CodeConflict, "a dialog is open that can be answered at the terminal only (%s)", f.session.Evidence)
		}
	})
	return err
}
