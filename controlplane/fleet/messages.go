package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Message is text that a person sent into a session.
type Message struct {
	ID             protocol.MessageID
	Session        protocol.SessionID
	Author         auth.UserID
	AuthorName     string
	ClientID       string
	IdempotencyKey string
	Text           string
	Status         protocol.MessageStatus
	Detail         string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// MaxMessage is how many bytes a message may have.
const MaxMessage = 100 << 10

// MessageStore keeps messages.
type MessageStore interface {
	// InsertMessage keeps a message, unless its author used the same key before: then it returns that first message
	// and false.
	InsertMessage(ctx context.Context, m Message) (Message, bool, error)
	Message(ctx context.Context, id protocol.MessageID) (Message, error)
	// AdvanceMessage stores a status that does not come before the stored one; a final one stays.
	AdvanceMessage(ctx context.Context, session protocol.SessionID, state protocol.MessageState) error
}

// SendMessage sends text into a session. With a key, a repeat returns the first message and sends nothing. When
// the host does not answer, the message is returned as queued, and its detail says that the outcome is unknown.
func (f *Fleet) SendMessage(ctx context.Context, c auth.Caller, ref, text, key string) (Message, error) {
	id := protocol.MessageID(protocol.NewID())
	session, err := f.session(ctx, c, operate("session.message", protocol.CommandID(id)), ref)
	if err != nil {
		return Message{}, err
	}
	if err := checkText(text); err != nil {
		return Message{}, err
	}
	if err := checkKey(key); err != nil {
		return Message{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	return f.send(ctx, c, session, Message{ID: id, Text: text, IdempotencyKey: key})
}

// onItsWay is the detail of a message between its commit and the host's word on it.
const onItsWay = "on its way to the host"

// send commits the message and then hands it to the host. The message's id is also the command's, so that the host
// cannot type it twice.
func (f *Fleet) send(ctx context.Context, c auth.Caller, session Session, m Message) (Message, error) {
	m.Text = strings.ReplaceAll(m.Text, "\r\n", "\n")
	m.Session, m.Author, m.ClientID = session.ID, c.User, c.ClientID
	m.Status, m.Detail = protocol.MessageQueued, onItsWay
	m.CreatedAt = f.Now()
	stored, fresh, err := f.Store.InsertMessage(ctx, m)
	if err != nil {
		return Message{}, err
	}
	if !fresh {
		return sameMessage(stored, m)
	}
	reply, err := tell(ctx, f, session.peer(), protocol.SendMessage, protocol.SendMessageRequest{
		Act: f.act(c, protocol.CommandID(m.ID)), Session: session.ID, Message: m.ID, Text: m.Text,
	})
	if err != nil {
		return f.notSent(ctx, session, m, err)
	}
	return f.advance(ctx, session, protocol.MessageState{ID: m.ID, Status: reply.Message.Status, Detail: reply.Message.Detail})
}

// sameMessage returns what was sent under an idempotency key before, if this is a repeat of it.
func sameMessage(first, repeat Message) (Message, error) {
	if first.Session != repeat.Session || first.Text != repeat.Text {
		return Message{}, refuse(ErrConflict, "idempotency_key %.40q was used for another message", repeat.IdempotencyKey)
	}
	return first, nil
}

// notSent stores why the host did not take a message, or that nobody knows whether it did.
func (f *Fleet) notSent(ctx context.Context, session Session, m Message, cause error) (Message, error) {
	if !nothingDone(cause) {
		return f.advance(ctx, session, protocol.MessageState{
			ID: m.ID, Status: protocol.MessageQueued,
			Detail: fmt.Sprintf("outcome unknown, look it up by its id: %v", cause),
		})
	}
	failed := protocol.MessageState{ID: m.ID, Status: protocol.MessageFailed, Detail: cause.Error()}
	if _, err := f.advance(ctx, session, failed); err != nil {
		f.Log.WarnContext(ctx, "message that was not sent is still queued", "message", m.ID, "err", err)
	}
	return Message{}, cause
}

// advance stores what has become of a message, and returns it as it is now.
func (f *Fleet) advance(ctx context.Context, session Session, state protocol.MessageState) (Message, error) {
	if !isMessageStatus(state.Status) {
		state.Status, state.Detail = protocol.MessageQueued, fmt.Sprintf("host says %.40q", state.Status)
	}
	if err := f.Store.AdvanceMessage(ctx, session.ID, state); err != nil {
		return Message{}, fmt.Errorf("store what became of message %s: %w", state.ID, err)
	}
	f.Changes.Publish(session.Host, session.ID)
	return f.Store.Message(ctx, state.ID)
}

func isMessageStatus(s protocol.MessageStatus) bool {
	return s == protocol.MessageQueued || s == protocol.MessageDelivered || s.Final()
}

// Message returns one message and what has become of it.
func (f *Fleet) Message(ctx context.Context, c auth.Caller, id protocol.MessageID) (Message, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeSessionsRead}); err != nil {
		return Message{}, err
	}
	return f.seeMessage(ctx, c, id)
}

func (f *Fleet) seeMessage(ctx context.Context, c auth.Caller, id protocol.MessageID) (Message, error) {
	unseen := refuse(auth.ErrNotFound, "no message %.80q that you can see", id)
	if !plausible(string(id)) {
		return Message{}, unseen
	}
	message, err := f.Store.Message(ctx, id)
	if err != nil {
		return Message{}, unlessFound(err, unseen)
	}
	if _, err := f.seeSession(ctx, c, string(message.Session)); err != nil {
		return Message{}, unlessFound(err, unseen)
	}
	if message.Status == protocol.MessageQueued && message.Detail == onItsWay && f.Now().Sub(message.CreatedAt) > actTimeout {
		message.Detail = "outcome unknown: the control plane stopped while it was sending this"
	}
	return message, nil
}
