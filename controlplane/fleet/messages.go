package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/hostagent/protocol"
)

// Message is text that a person sent into a session.
type Message struct {
	ID             protocol.MessageID
	Session        protocol.SessionID
	Author         auth.UserID
	ClientID       string
	IdempotencyKey string
	Text           string
	Status         protocol.MessageStatus
	Detail         string
	Changed        []string // what the host changed in the text, in words
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Behind         []protocol.MessageID // of which the host had said nothing when this one was kept
	IfIdle         bool                 // it is not to wait; not kept, since nobody but its sender hands it over
}

// NewMessage is what a caller wants to be sent.
type NewMessage struct {
	Text           string
	IdempotencyKey string
	WhenBusy       WhenBusy // empty: QueueWhenBusy
}

// WhenBusy says what becomes of a message to a session that is not idle. The host judges that, when it types.
type WhenBusy string

// What may become of it.
const (
	QueueWhenBusy  WhenBusy = "queue"  // it waits, and is typed in its turn
	RefuseWhenBusy WhenBusy = "refuse" // it is refused, and the host keeps nothing of it
)

// MessageStore keeps messages.
type MessageStore interface {
	// RecordMessage keeps a message together with the audit record of sending it, in one commit: after any crash
	// both are there, or neither. If its author used the same key before, only the record is kept; it returns that
	// first message, and false; but one that failed, and says the same to the same session, gives its key to m. An
	// answer that has an id is used up as by RecordAnswered; if it was used before, no message is kept. A message that
	// is kept says which ones of its session are still on their way.
	RecordMessage(ctx context.Context, record audit.Event, a Answer, m Message) (Message, bool, error)
	// InsertMessage keeps a message without a key that something recorded brings with it.
	InsertMessage(ctx context.Context, m Message) error
	Message(ctx context.Context, id protocol.MessageID) (Message, error)
	// Unheard are those of some messages that are still queued with one of UnheardDetails.
	Unheard(ctx context.Context, ids []protocol.MessageID) ([]protocol.MessageID, error)
	// AdvanceMessage stores a status that does not come before the stored one; a final one stays.
	AdvanceMessage(ctx context.Context, session protocol.SessionID, state protocol.MessageState) error
	// KeepChanges stores what the host changed in a message's text.
	KeepChanges(ctx context.Context, id protocol.MessageID, changed []string) error
	// QueuedMessages are the oldest of a session's messages of which nothing is typed yet.
	QueuedMessages(ctx context.Context, session protocol.SessionID, limit int) ([]Message, error)
}

// SendMessage sends text into a session. With a key, a repeat returns the first message and sends nothing, unless the
// first one failed, which means that nothing was typed: then it is sent again. When the host does not answer, the
// message is returned as queued, and its detail says that the outcome is unknown.
func (f *Fleet) SendMessage(ctx context.Context, c auth.Caller, ref string, n NewMessage) (Message, error) {
	return Acting{Fleet: f}.SendMessage(ctx, c, ref, n)
}

// SendMessage sends text into a session.
func (a Acting) SendMessage(ctx context.Context, c auth.Caller, ref string, n NewMessage) (Message, error) {
	f := a.Fleet
	m := f.newMessage(c, n.Text)
	m.IdempotencyKey, m.IfIdle = n.IdempotencyKey, n.WhenBusy == RefuseWhenBusy
	d := a.operate("session.message", protocol.CommandID(m.ID))
	if m.IfIdle {
		d.detail = map[string]string{"when_busy": string(n.WhenBusy)}
	}
	invalid := n.check()
	first, fresh := Message{}, false
	if invalid == nil {
		d.keep = func(ctx context.Context, record audit.Event) (err error) {
			ctx, cancel := detach(ctx) // who hangs up now must not leave a row behind that nobody sends
			defer cancel()
			m.Session = protocol.SessionID(record.Session)
			first, fresh, err = f.Store.RecordMessage(ctx, record, a.Answer, m)
			return err
		}
	}
	session, err := f.session(ctx, c, d, ref)
	switch {
	case err != nil:
		return Message{}, err
	case invalid != nil:
		return Message{}, invalid
	case !fresh:
		return sameMessage(first, m)
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	if err := f.awaitTurn(ctx, first); err != nil {
		return f.notSent(ctx, session, m, err)
	}
	return f.send(ctx, c, session, m)
}

func (n NewMessage) check() error {
	if err := checkText(n.Text); err != nil {
		return err
	}
	if n.WhenBusy != "" && n.WhenBusy != QueueWhenBusy && n.WhenBusy != RefuseWhenBusy {
		return refuse(ErrInvalid, "when_busy %.40q: want %s or %s", n.WhenBusy, QueueWhenBusy, RefuseWhenBusy)
	}
	return checkKey(n.IdempotencyKey)
}

// onItsWay is the detail of a message between its commit and the host's word on it.
const onItsWay = "on its way to the host"

// unanswered is the detail of a message while nobody knows whether the host has it. Reconcile finds out.
const unanswered = "outcome unknown: the host was asked and has not answered yet; look this message up by its id before you send it again"

// UnheardDetails are the details of queued messages of which the host has said nothing.
func UnheardDetails() []string { return []string{onItsWay, unanswered} }

// newMessage makes a message that is not in any session yet. Its id is also the command's, so that the host cannot
// type it twice.
func (f *Fleet) newMessage(c auth.Caller, text string) Message {
	now := f.Now()
	return Message{
		ID: protocol.MessageID(protocol.NewID()), Author: c.User, ClientID: c.ClientID,
		Text: strings.ReplaceAll(text, "\r\n", "\n"), Status: protocol.MessageQueued, Detail: onItsWay,
		CreatedAt: now, UpdatedAt: now,
	}
}

// sendFirst sends the message that a new session begins with.
func (f *Fleet) sendFirst(ctx context.Context, c auth.Caller, session Session, text string) error {
	m := f.newMessage(c, text)
	m.Session = session.ID
	if err := f.Store.InsertMessage(ctx, m); err != nil {
		return err
	}
	_, err := f.send(ctx, c, session, m)
	return err
}

// send hands a committed message to the host. That the host has queued it says nothing that the row does not, and
// comes as an event too: it is not stored a second time.
func (f *Fleet) send(ctx context.Context, c auth.Caller, session Session, m Message) (Message, error) {
	command := protocol.SendMessage
	if m.IfIdle {
		command = protocol.SendMessageIfIdle
	}
	reply, err := tell(ctx, f, session.peer(), command, protocol.SendMessageRequest{
		Act: f.act(c, protocol.CommandID(m.ID)), Session: session.ID, Message: m.ID, Text: m.Text,
	})
	if err != nil {
		return f.notSent(ctx, session, m, err)
	}
	if m.Changed = cleanChanges(reply.Changed); len(m.Changed) > 0 {
		if err := f.Store.KeepChanges(ctx, m.ID, m.Changed); err != nil {
			f.Log.WarnContext(ctx, "what was changed in a message is not kept", "message", m.ID, "err", err)
		}
	}
	if reply.Message.Status == m.Status {
		f.Changes.Publish(session.Host, session.ID)
		m.Detail = reply.Message.Detail
		return m, nil
	}
	return f.advance(ctx, session, protocol.MessageState{ID: m.ID, Status: reply.Message.Status, Detail: reply.Message.Detail})
}

// What a host says of its changes is bounded: there are few, and each is a few words.
const (
	mostChanges = 10
	changeWords = 200 // characters
)

func cleanChanges(changed []string) []string {
	changed = changed[:min(len(changed), mostChanges)]
	for i, words := range changed {
		changed[i] = fmt.Sprintf("%.*s", changeWords, words)
	}
	return changed
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
		return f.advance(ctx, session, protocol.MessageState{ID: m.ID, Status: protocol.MessageQueued, Detail: unanswered})
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
		message.Detail = "outcome unknown: the host has said nothing of it"
	}
	return message, nil
}
