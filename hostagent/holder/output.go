package holder

import (
	"sync"
	"time"
)

const (
	readBytes    = 4 << 10  // Linux hands out less than that at a time
	backlogBytes = 32 << 10 // at most so much is read and not shown yet
	worthShowing = 8 << 10  // so much is shown at once; less, when no more comes
	kernelBytes  = 80 << 10 // no kernel keeps more that was written to a terminal and not read
)

// takeOutput shows what the child writes until the PTY's other side is closed, or, once draining is closed, until it
// is quiet. One goroutine reads and another shows: the kernel keeps little, and would wait for each piece to be shown.
func (h *holder) takeOutput(draining <-chan struct{}) {
	var waiting backlog
	waiting.changed.L = &waiting.mu
	var group sync.WaitGroup
	group.Go(func() {
		var p []byte
		for more := true; more; {
			if p, more = waiting.take(p); more {
				h.show(p)
			}
		}
	})
	h.readOutput(&waiting, draining)
	waiting.end()
	group.Wait()
}

// readOutput ends by itself, not by a clock: who was frozen meanwhile, or slow, still reads all that was written by
// drainLimit.
func (h *holder) readOutput(to *backlog, draining <-chan struct{}) {
	buffer := make([]byte, readBytes)
	var limit time.Time // zero: the child lives
	drained := 0        // bytes since then
	for {
		n, err := h.pty.ReadOr(buffer, to.offer)
		if n > 0 {
			to.add(buffer[:n])
		}
		if err != nil {
			return
		}
		select {
		case <-draining:
			if limit.IsZero() {
				limit = time.Now().Add(drainLimit)
			}
			drained += n
			if time.Now().After(limit) && drained > kernelBytes {
				return // something else writes and writes
			}
			_ = h.pty.SetReadDeadline(earlier(time.Now().Add(drainQuiet), limit))
		default:
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// backlog is output that has been read and not shown yet. Whoever adds to it waits while it is full.
type backlog struct {
	mu      sync.Mutex // guards the fields below
	changed sync.Cond
	waiting []byte
	ended   bool
}

func (b *backlog) add(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting)+len(p) > backlogBytes {
		b.changed.Wait()
	}
	b.waiting = append(b.waiting, p...)
	if len(b.waiting) >= worthShowing {
		b.changed.Signal()
	}
}

// offer wakes who waits for output, since no more comes for now.
func (b *backlog) offer() { b.changed.Signal() }

// take waits for output and returns all that there is; false: there will be no more. The next output goes into spare's
// memory, which the caller has no more use for.
func (b *backlog) take(spare []byte) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && !b.ended {
		b.changed.Wait()
	}
	p := b.waiting
	b.waiting = spare[:0]
	b.changed.Signal()
	return p, len(p) > 0
}

func (b *backlog) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.changed.Signal()
}
