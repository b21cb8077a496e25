package fleet

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// SearchStore finds words.
type SearchStore interface {
	// Search looks for a person's words in transcripts and names of the sessions that he may see, best first.
	Search(ctx context.Context, user auth.UserID, query string, limit int) ([]Hit, error)
}

// Hit is one place where a search's words stand: an entry of a transcript, or, with Seq 0, a session's own names.
type Hit struct {
	Session  protocol.SessionID
	Handle   string
	Name     string
	HostName string
	Seq      uint64
	At       time.Time
	Role     protocol.Role
	Snippet  string
}
