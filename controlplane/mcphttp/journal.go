package mcphttp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"switchboard/controlplane/mcpsession"
)

const (
	// keepStream is how long after its last sign of life a stream can be come back to.
	keepStream = 15 * time.Minute
	// renewEvery is how often a stream gives a sign of life, and lostAfter when there should have been one: the
	// replica that worked on it is gone.
	renewEvery = 10 * time.Second
	lostAfter  = 30 * time.Second
	// comeBackAfter is what a client is told to wait before it comes back.
	comeBackAfter = time.Second
)

// journal keeps what a stream of a legacy session carries before the client sees it, so that a client whose connection
// broke can come back to any replica and miss nothing. Its methods are called under the response's lock.
type journal struct {
	store   mcpsession.Store
	log     *slog.Logger
	ctx     context.Context // of the request, without its end: what is done is kept even if nobody hears it
	primes  bool            // the client knows events without data
	stream  mcpsession.Stream
	sent    int                // the number of the last event that this connection got
	missed  []mcpsession.Event // by a client that has come back
	renewed time.Time
	asked   func() // the client was asked something on this stream
}

func newJournal(ctx context.Context, store mcpsession.Store, log *slog.Logger, v *visit, request json.RawMessage) *journal {
	return &journal{
		store: store, log: log, ctx: context.WithoutCancel(ctx), primes: v.primes,
		stream: mcpsession.Stream{Session: v.session, ID: rand.Text()[:12], Request: request},
	}
}

// begin makes the stream one that can be come back to, and returns what the client is to get first. Where that cannot
// be, the stream goes on without a journal.
func (j *journal) begin() (first []byte, ok bool) {
	now := time.Now()
	j.renewed = now
	if j.stream.BegunAt.IsZero() {
		j.stream.BegunAt, j.stream.AliveAt = now, now
		if err := j.store.InsertMCPStream(j.ctx, j.stream, now.Add(-lostAfter)); err != nil {
			j.log.WarnContext(j.ctx, "stream cannot be resumed", "err", err)
			return nil, false
		}
	}
	if j.primes {
		first = fmt.Appendf(nil, "id: %s\nretry: %d\ndata: \n\n", eventID(j.stream.ID, j.sent), comeBackAfter.Milliseconds())
	}
	return append(first, j.events(j.missed)...), true
}

// append keeps a message and returns the events with which the client then has all of them: this one, and before it
// any that came from a connection of the same stream that was thought to be over.
func (j *journal) append(message []byte, last bool) []byte {
	seq, err := j.store.AppendMCPEvent(j.ctx, j.stream.Session, j.stream.ID, message, last, time.Now())
	if err != nil {
		j.log.WarnContext(j.ctx, "event cannot be resumed after", "err", err)
		return eventOf(message)
	}
	events := []mcpsession.Event{{Seq: seq, Message: message}}
	if seq > j.sent+1 {
		if _, missed, err := j.store.MCPEvents(j.ctx, j.stream.Session, j.stream.ID, j.sent); err == nil {
			events = missed
		}
	}
	return j.events(events)
}

func (j *journal) events(events []mcpsession.Event) []byte {
	var out bytes.Buffer
	for _, event := range events {
		fmt.Fprintf(&out, "id: %s\n%s%s\n\n", eventID(j.stream.ID, event.Seq), eventPrefix, event.Message)
		j.sent = event.Seq
	}
	return out.Bytes()
}

// renew gives a sign of life now and then.
func (j *journal) renew() {
	now := time.Now()
	if now.Sub(j.renewed) < renewEvery {
		return
	}
	j.renewed = now
	if err := j.store.RenewMCPStream(j.ctx, j.stream.Session, j.stream.ID, now); err != nil {
		j.log.WarnContext(j.ctx, "stream not renewed", "err", err)
	}
}

// eventID is what the client gives back as Last-Event-ID.
func eventID(stream string, seq int) string { return stream + "." + strconv.Itoa(seq) }

func parseEventID(id string) (stream string, seq int, ok bool) {
	stream, number, ok := strings.Cut(id, ".")
	seq, err := strconv.Atoi(number)
	return stream, seq, ok && err == nil && seq >= 0 && seq < 1<<31 && isName(stream)
}
