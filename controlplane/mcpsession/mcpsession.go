// Package mcpsession is what outlives a connection of an MCP client that speaks a version before 2026-07-28: its
// session, and the streams by which it can come back for what it missed, on any replica and after a restart.
package mcpsession

import (
	"context"
	"encoding/json"
	"time"

	"switchboard/auth"
)

// Session is what an Mcp-Session-Id stands for. To everyone but its owner it does not exist.
type Session struct {
	ID         string
	User       auth.UserID
	Client     string          // a person's other client is somebody else
	Initialize json.RawMessage // the request that began it, with which another replica takes it on
	CreatedAt  time.Time
	UsedAt     time.Time // to the minute
}

// Stream is a stream of events in a session: the answer to one request, or what a client listens to.
type Stream struct {
	Session string
	ID      string
	Request json.RawMessage // the id of the request that it answers; nil if the client listens
	LastSeq int             // of its events, which are numbered from 1
	Closed  bool            // the last event is its answer
	BegunAt time.Time
	AliveAt time.Time // when a replica last said that it works on it
}

// Event is one message of a stream.
type Event struct {
	Seq     int
	Message json.RawMessage
}

// How much is kept for a client to come back for: enough for every honest one, and little for the others.
const (
	KeepStreams = 32  // of a session
	KeepEvents  = 128 // of a stream
	KeepAnswers = 16  // of a session, that wait to be taken
)

// Store keeps sessions and streams. What is not there is auth.ErrNotFound.
type Store interface {
	// InsertMCPSession keeps a new session, and forgets the least recently used of its owner's beyond keep.
	InsertMCPSession(ctx context.Context, s Session, keep int) error
	MCPSession(ctx context.Context, id string) (Session, error)
	TouchMCPSession(ctx context.Context, id string, at time.Time) error
	DeleteMCPSession(ctx context.Context, id string) error

	// InsertMCPStream keeps a new stream, and forgets those of its session beyond KeepStreams: closed ones and those
	// that nobody has worked on since alive first, then the oldest.
	InsertMCPStream(ctx context.Context, s Stream, alive time.Time) error
	RenewMCPStream(ctx context.Context, session, stream string, at time.Time) error
	// AppendMCPEvent numbers and keeps an event, and forgets those before the last KeepEvents. The last one closes
	// the stream; to a closed stream nothing can be added.
	AppendMCPEvent(ctx context.Context, session, stream string, message json.RawMessage, last bool, at time.Time) (seq int, err error)
	// MCPEvents are a stream and its events after a number.
	MCPEvents(ctx context.Context, session, stream string, after int) (Stream, []Event, error)

	// InsertMCPAnswer keeps what a client answered to a request that went out on a stream of another replica's, for
	// that one to take. It is auth.ErrNotFound if the stream is closed, or KeepAnswers wait already.
	InsertMCPAnswer(ctx context.Context, session, stream string, answer json.RawMessage) error
	TakeMCPAnswers(ctx context.Context, session, stream string) ([]json.RawMessage, error)

	// DeleteStaleMCP forgets sessions that were not used, and streams that nobody worked on, since then.
	DeleteStaleMCP(ctx context.Context, sessions, streams time.Time) error
}
