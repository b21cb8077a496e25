package fleet

import (
	"context"
	"errors"
	"fmt"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// mostQueued bounds what is shown of a session's queue.
const mostQueued = 20

// QueuedMessages are the oldest messages to a session of which nothing is typed yet. The session is as Session returned it
// to whoever wants to know.
func (f *Fleet) QueuedMessages(ctx context.Context, session Session) ([]Message, error) {
	if session.Access < AccessViewer {
		return nil, auth.ErrNotFound
	}
	if session.State == protocol.StateIdle && session.MessageAt == nil {
		return nil, nil // it would be known with the state
	}
	return f.Store.QueuedMessages(ctx, session.ID, mostQueued)
}

// TakeBackMessage takes back a message to a session, whoever sent it.
func (f *Fleet) TakeBackMessage(ctx context.Context, c auth.Caller, ref string, id protocol.MessageID) (Session, Message, error) {
	return Acting{Fleet: f}.TakeBackMessage(ctx, c, ref, id)
}

// TakeBackMessage takes back a message to a session, whoever sent it. Without an error, nothing of it was typed or ever
// will be: the host decides what came first.
func (a Acting) TakeBackMessage(ctx context.Context, c auth.Caller, ref string, id protocol.MessageID) (Session, Message, error) {
	f := a.Fleet
	d := a.operate("session.take_back", "")
	d.target = fmt.Sprintf("%.*s", maxTarget, id)
	session, err := f.session(ctx, c, d, ref)
	if err != nil {
		return Session{}, Message{}, err
	}
	m, err := f.messageTo(ctx, session, id)
	if err == nil && m.Status == protocol.MessageQueued {
		m, err = f.takeBack(ctx, c, session, m)
	}
	if err != nil {
		return Session{}, Message{}, err
	}
	if m.Status != protocol.MessageWithdrawn && m.Status != protocol.MessageFailed {
		return Session{}, Message{}, typedAlready(m)
	}
	return session, m, nil
}

// messageTo finds a message to a session.
func (f *Fleet) messageTo(ctx context.Context, session Session, id protocol.MessageID) (Message, error) {
	unseen := refuse(auth.ErrNotFound, "no message %.80q to session %s", id, session.Handle)
	if !plausible(string(id)) {
		return Message{}, unseen
	}
	m, err := f.Store.Message(ctx, id)
	if err == nil && m.Session != session.ID {
		err = auth.ErrNotFound
	}
	if err != nil {
		return Message{}, unlessFound(err, unseen)
	}
	return m, nil
}

// takeBack returns what has become of a message that was queued.
func (f *Fleet) takeBack(ctx context.Context, c auth.Caller, session Session, m Message) (Message, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	reply, err := tell(ctx, f, session.peer(), protocol.WithdrawCommand, protocol.WithdrawCommandRequest{
		Session: session.ID, Command: protocol.CommandID(m.ID), Actor: c.UserName,
	})
	var refused *protocol.Error
	if errors.As(err, &refused) && refused.Code == protocol.CodeNotFound {
		err = nil // without the session, nothing was typed in it
	}
	if err != nil {
		return Message{}, err
	}
	state := protocol.MessageState{Status: protocol.MessageWithdrawn, Detail: "taken back by " + c.UserName + " before it reached the host; nothing was typed"}
	switch {
	case reply.Typing:
		return Message{}, typedAlready(m)
	case reply.Message != nil && reply.Message.Status == protocol.MessageQueued:
		return Message{}, refuse(ErrConflict, "host %s has queued message %s and cannot take it back, since its host agent is of an older version: upgrade it. The message is still queued",
			session.HostName, m.ID)
	case reply.Message != nil:
		state = *reply.Message
	}
	state.ID = m.ID
	return f.advance(ctx, session, state)
}

func typedAlready(m Message) error {
	return refuse(ErrConflict, "message %s was typed already and cannot be taken back; what the agent does can be interrupted", m.ID)
}
