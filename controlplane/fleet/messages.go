package fleet

import (
	"context"
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
