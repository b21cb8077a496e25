package session

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
func (p *paper) writeTo(file *os.File) (before *os.File) {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	before, p.log.file = p.log.file, file
	return before
}

// TestDecisionThatCannotBeKept: the event log cannot be written when it is decided what becomes of an interrupted session,
// which nobody follows. It is told when that can be.
func TestDecisionThatCannotBeKept(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.watches = newWatches(p.logger)
	t.Cleanup(func() { check(t, p.watches.close()) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p.mu.Lock()
	p.fold.lost(time.Now(), true)
	err := p.keep()
	p.mu.Unlock()
	check(t, err)

	unwritable, err := os.Open(filepath.Join(p.dir, eventsFile))
	check(t, err)
	written := p.writeTo(unwritable)
	m := &Manager{running: ctx}
	if err := m.leaveEnded(p.session, "Resume it."); err == nil {
		t.Error("it counts as written")
	}
	p.writeTo(written)
	check(t, unwritable.Close())
	m.group.Wait()
	if told := p.told(); len(told) != 1 || !strings.HasSuffix(told[0], "Resume it.") {
		t.Errorf("told: %q", told)
	}
}
