package session

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"switchboard/hostagent/protocol"
)

// TestEndThatCannotBeKept: the event log cannot be written when a run ends. Its end is told when that can be.
func TestEndThatCannotBeKept(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	e.watches = newWatches(e.logger)
	t.Cleanup(func() { check(t, e.watches.close()) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var following sync.WaitGroup
	following.Go(func() { e.session.follow(ctx) })
	check(t, e.until(ctx, func(f *fold) bool { return f.runs == 1 }))

	unwritable, err := os.Open(filepath.Join(e.dir, eventsFile))
	check(t, err)
	written := e.writeTo(unwritable)
	check(t, e.client.Signal(ctx, killSignal))
	check(t, e.until(ctx, func(f *fold) bool { return f.session.ExitedAt != nil && e.stuck }))
	e.writeTo(written)
	check(t, unwritable.Close())
	following.Wait()

	events := e.events()
	last, err := protocol.Decode[protocol.Session](events[len(events)-1])
	if e.state().State != protocol.StateExited || last.State != protocol.StateExited {
		t.Errorf("told as %s (%v), shown as %s, want exited", last.State, err, e.state().State)
	}
}

// writeTo has the event log written to this file from now on, and returns the one before.
func (e *echoing) writeTo(file *os.File) (before *os.File) {
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	before, e.log.file = e.log.file, file
	return before
}
