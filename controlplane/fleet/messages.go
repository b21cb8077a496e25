package fleet

import (
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
