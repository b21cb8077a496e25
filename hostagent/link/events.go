package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// Limits of a batch. Several sessions are served at the same time, so that one that talks much does not keep
// another's question waiting.
const (
	batchEvents    = 100
	batchBytes     = 256 << 10
	sessionsAtOnce = 4
)

// progress is how far the control plane has one session's events.
type progress struct {
	committed uint64
	known     bool // the control plane has the session
	pause     pauses
	notBefore time.Time // after an error
}

// events sends what the control plane does not have, in order, until ctx or the connection ends. Each round sends
// at most one batch of each session.
func (l *Link) events(ctx context.Context, conn *nats.Conn, known map[protocol.SessionID]uint64) {
	sent := map[protocol.SessionID]*progress{}
	for id, seq := range known {
		sent[id] = &progress{committed: seq, known: true}
		l.Source.Acknowledged(id, seq)
	}
	for ctx.Err() == nil && !conn.IsClosed() {
		next := l.round(ctx, conn, sent)
		if next == 0 {
			continue
		}
		retry := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-l.Source.Changed():
		case <-retry.C:
		}
		retry.Stop()
	}
}

// lookAgain is when to look for new events without having been told of any.
const lookAgain = 10 * time.Second

// round sends one batch of each session that has news, and says how long to wait for the next round: not at all
// if there is more.
func (l *Link) round(ctx context.Context, conn *nats.Conn, sent map[protocol.SessionID]*progress) time.Duration {
	var sending sync.WaitGroup
	room := make(chan struct{}, sessionsAtOnce)
	next := lookAgain
	now := time.Now()
	for _, session := range l.Source.Sessions() {
		at := sent[session.ID]
		if at == nil {
			at = &progress{known: !session.Adopted}
			sent[session.ID] = at
		}
		if session.LastSeq <= at.committed {
			continue
		}
		if wait := at.notBefore.Sub(now); wait > 0 {
			next = min(next, wait)
			continue
		}
		next = 0
		room <- struct{}{}
		sending.Go(func() {
			defer func() { <-room }()
			l.advance(ctx, conn, session, at)
		})
	}
	sending.Wait()
	return next
}

// advance sends one batch and notes what is committed now.
func (l *Link) advance(ctx context.Context, conn *nats.Conn, session protocol.Session, at *progress) {
	id := session.ID
	err := l.introduce(ctx, conn, session, at)
	committed := at.committed
	if err == nil {
		committed, err = l.sendBatch(ctx, conn, id, at.committed)
	}
	if err == nil && committed == at.committed {
		err = errors.New("the control plane committed none of them")
	}
	if err == nil {
		*at = progress{committed: committed, known: true}
		l.Source.Acknowledged(id, committed)
		return
	}
	wait := at.pause.next()
	at.notBefore = time.Now().Add(wait)
	if ctx.Err() == nil {
		l.Log.WarnContext(ctx, "events not sent", "session", id, "after", at.committed, "err", err, "again_in", wait)
	}
}

// introduce makes a session known that the control plane did not ask for.
func (l *Link) introduce(ctx context.Context, conn *nats.Conn, session protocol.Session, at *progress) error {
	if at.known {
		return nil
	}
	_, err := request(ctx, l, conn, protocol.AdoptSession, protocol.AdoptSessionRequest{Session: session})
	at.known = err == nil
	return err
}

// sendBatch sends the events after the last committed one. The answer says from where to go on, which may be
// before what was sent: then the control plane misses something, or lost it.
func (l *Link) sendBatch(ctx context.Context, conn *nats.Conn, id protocol.SessionID, after uint64) (uint64, error) {
	most := batchEvents
	if after == 0 {
		most = 1 // it may be a session that the hello had no room for, all of whose events are committed
	}
	events, err := l.Source.Events(id, after, most)
	if err != nil {
		return after, fmt.Errorf("read events: %w", err)
	}
	if len(events) == 0 {
		return after, fmt.Errorf("no events after %d, though there should be", after)
	}
	reply, err := request(ctx, l, conn, protocol.Events,
		protocol.EventsRequest{Session: id, Events: fit(events)})
	if err != nil {
		return after, err
	}
	return reply.LastSeq, nil
}

// fit takes as many events as go into a batch, but at least one.
func fit(events []protocol.Event) []protocol.Event {
	const envelope = 128 // bytes of an event beside its body, about
	size := 0
	for i, event := range events {
		size += len(event.Body) + envelope
		if size > batchBytes && i > 0 {
			return events[:i]
		}
	}
	return events
}
