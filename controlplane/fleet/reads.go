package fleet

import (
	"context"
	"maps"
	"sync"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
)

// readAgain is how long a recorded read stands for its repeats. Who follows a session reads it every second.
const readAgain = 5 * time.Minute

// maxReads bounds what one replica remembers: more than its users read within readAgain.
const maxReads = 10_000

// read is who read what, by which client.
type read struct {
	user    auth.UserID
	client  string // its id
	action  string
	session string // empty: a search through all
}

// reads remembers the reads that were recorded a short time ago.
type reads struct {
	mu       sync.Mutex // guards the field below
	recorded map[read]time.Time
}

// recent reports whether a read's record still stands for it.
func (r *reads) recent(what read, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, known := r.recorded[what]
	return known && now.Sub(at) < readAgain
}

// remember takes in a read whose record is committed. When there are too many it forgets those that are over or,
// if that does not help, all: they are recorded once more than need be.
func (r *reads) remember(what read, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.recorded) >= maxReads {
		maps.DeleteFunc(r.recorded, func(_ read, at time.Time) bool { return now.Sub(at) >= readAgain })
	}
	if r.recorded == nil || len(r.recorded) >= maxReads {
		r.recorded = map[read]time.Time{}
	}
	r.recorded[what] = now
}

// recordDeed is record for a deed, in the deed's own way, and leaves out a read that was recorded a short time ago.
func (f *Fleet) recordDeed(ctx context.Context, c auth.Caller, d deed, event audit.Event, refused error) error {
	if d.keep != nil && refused == nil {
		return f.recordBy(ctx, d.keep, c, event, nil)
	}
	if d.answer.ID != "" && refused == nil {
		return f.recordBy(ctx, func(ctx context.Context, record audit.Event) error {
			return f.Store.RecordAnswered(ctx, record, d.answer)
		}, c, event, nil)
	}
	if !d.reads || refused != nil {
		return f.record(ctx, c, event, refused)
	}
	what := read{user: c.User, client: c.ClientID, action: event.Action, session: event.Session}
	if f.reads.recent(what, f.Now()) {
		return nil
	}
	if err := f.record(ctx, c, event, nil); err != nil {
		return err
	}
	f.reads.remember(what, f.Now())
	return nil
}
