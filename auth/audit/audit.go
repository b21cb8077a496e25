// Package audit is the record of who asked for what, through which client, and whether it was allowed. A record
// is written before the act; if it cannot be written, the act does not happen. Each record's hash covers the one
// before it, so that a changed, removed or inserted record shows.
package audit

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"time"
)

// Event is one record.
type Event struct {
	Seq      int64             `json:"seq"` // from 1, without a gap
	At       time.Time         `json:"at"`  // UTC, whole microseconds, as Postgres keeps it
	User     string            `json:"user"`
	UserName string            `json:"user_name"`
	ClientID string            `json:"client_id"`
	Client   string            `json:"client"`
	Addr     string            `json:"addr"`
	Action   string            `json:"action"` // "session.message", "oauth.token", …
	Host     string            `json:"host,omitempty"`
	Session  string            `json:"session,omitempty"`
	Target   string            `json:"target,omitempty"` // what else it acts on: a prompt, a client, a message
	Allowed  bool              `json:"allowed"`
	Detail   map[string]string `json:"detail,omitempty"` // never a secret
	Previous []byte            `json:"previous"`         // the hash of the record before; nil for the first
	Hash     []byte            `json:"-"`
}

// Link gives the event its place behind previous, the newest record so far (zero if there is none).
func (e *Event) Link(previous Event) {
	e.Seq = previous.Seq + 1
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Previous = previous.Hash
	e.Hash = e.sum()
}

// sum is SHA-256 over the event's JSON, whose field order Go fixes and whose map keys it sorts.
func (e Event) sum() []byte {
	// An Event holds only strings, bytes, numbers and times, which always marshal.
	text, _ := json.Marshal(e)
	sum := sha256.Sum256(text)
	return sum[:]
}

// Verify checks a run of consecutive records, oldest first, behind previous (zero at the chain's start). Its
// error names the first record that does not fit.
func Verify(previous Event, events []Event) error {
	for _, e := range events {
		if e.Seq != previous.Seq+1 {
			return fmt.Errorf("audit record %d: record %d is missing before it", e.Seq, previous.Seq+1)
		}
		if subtle.ConstantTimeCompare(e.Previous, previous.Hash) != 1 {
			return fmt.Errorf("audit record %d: does not follow record %d", e.Seq, previous.Seq)
		}
		if subtle.ConstantTimeCompare(e.sum(), e.Hash) != 1 {
			return fmt.Errorf("audit record %d: has been changed", e.Seq)
		}
		previous = e
	}
	return nil
}

// Recorder appends to the chain. An error means that nothing is known to be recorded, so that what was to be
// recorded must not be done.
type Recorder interface {
	Append(ctx context.Context, e Event) error
}
