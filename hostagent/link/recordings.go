package link

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// Recordings is what there is to keep of terminals' output, if the host's owner lets it leave the host.
type Recordings interface {
	// NextSegment is the next one that the control plane does not have, of sessions that are not to be left out.
	NextSegment(leaveOut map[protocol.SessionID]bool) (protocol.StoreSegmentRequest, bool)
	// SegmentStored says that the control plane has committed a session's segments up to this one.
	SegmentStored(id protocol.SessionID, number uint64)
}

const (
	segmentsEvery = 30 * time.Second       // to look for new segments
	segmentPause  = 100 * time.Millisecond // between two, so that what people wait for goes before
)

// recordings sends segments one at a time until ctx or the connection ends. A session of which one is refused waits
// for the next look; so does everything when the control plane cannot be asked, or knows no recordings.
func (l *Link) recordings(ctx context.Context, conn *nats.Conn) {
	leaveOut := map[protocol.SessionID]bool{}
	for ctx.Err() == nil && !conn.IsClosed() {
		wait := segmentsEvery
		segment, more := l.Recordings.NextSegment(leaveOut)
		if more {
			wait = l.sendSegment(ctx, conn, segment, leaveOut)
		}
		if wait == segmentsEvery {
			clear(leaveOut)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// sendSegment sends one and says how long to wait for the next.
func (l *Link) sendSegment(ctx context.Context, conn *nats.Conn, segment protocol.StoreSegmentRequest, leaveOut map[protocol.SessionID]bool) time.Duration {
	_, err := request(ctx, l, conn, protocol.StoreSegment, segment)
	if err == nil {
		l.Recordings.SegmentStored(segment.Session, segment.Segment.Number)
		return segmentPause
	}
	if ctx.Err() == nil {
		l.Log.WarnContext(ctx, "recording not sent", "session", segment.Session, "segment", segment.Segment.Number, "err", err)
	}
	var refused *protocol.Error
	if errors.As(err, &refused) && refused.Code != protocol.CodeUnavailable {
		leaveOut[segment.Session] = true
		return segmentPause
	}
	return segmentsEvery
}
