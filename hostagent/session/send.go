package session

import (
	"context"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// Send takes a message to be typed into the session as soon as its agent listens. The same message again answers
// with what has become of it.
func (m *Manager) Send(ctx context.Context, r protocol.SendMessageRequest) (protocol.SendMessageReply, error) {
	if r.Message == "" {
		return protocol.SendMessageReply{}, protocol.Errorf(protocol.CodeInvalid, "the message has no message_id")
	}
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.SendMessageReply{}, err
	}
	s.acting.Lock()
	defer s.acting.Unlock()
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
	client, err := s.dial(ctx)
	if err != nil {
		return protocol.SendMessageReply{}, s.cannotReach(err)
	}
	defer client.Close()
	note := messageNote{ID: r.Message, Command: r.Command, Actor: r.Actor, Text: text}
	if err := s.note(ctx, client, noteMessage, note); err != nil {
		return protocol.SendMessageReply{}, protocol.Errorf(protocol.CodeInternal, "%v", err)
	}
	state, _ := s.messageState(r.Message)
	return protocol.SendMessageReply{Message: state}, nil
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
