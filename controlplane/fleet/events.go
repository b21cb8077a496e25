package fleet

import (
	"context"

	"switchboard/hostagent/protocol"
)

// EventStore keeps what sessions reported, each event once and without a gap.
type EventStore interface {
	// RecordEvents commits a batch and what follows from it, and returns the last seq that is committed then. A
	// repeat changes nothing, and neither does a batch behind a gap. ErrNotFound: the host has no such session.
	RecordEvents(ctx context.Context, host protocol.HostID, batch Batch) (uint64, error)
	// Entries are the first entries of the transcript, what was asked and answered included, after one seq and up to another.
	Entries(ctx context.Context, session protocol.SessionID, after, upTo uint64, limit int) ([]TranscriptEntry, error)
	// LastEntries are the last ones up to a seq, oldest first.
	LastEntries(ctx context.Context, session protocol.SessionID, upTo uint64, limit int) ([]TranscriptEntry, error)
}

// Batch is a run of one session's events, and what they change beside the transcript.
type Batch struct {
	Session     protocol.SessionID
	Events      []protocol.Event
	State       *protocol.Session // the newest; its LastSeq is the event's that brought it
	Prompts     []protocol.Prompt
	Settlements []protocol.Settlement
	Messages    []protocol.MessageState
	Usage       *KnownUsage // the newest
	Notices     []Notice
	Revived     bool // the host's policy has resumed the session
}

// KnownUsage is what a session had taken at one of its events.
type KnownUsage struct {
	Seq uint64
	protocol.SessionUsage
}
