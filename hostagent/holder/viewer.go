package holder

import (
	"context"
	"sync"
	"time"

	"switchboard/hostagent/terminal"
)

const (
	// maxPending is how much output waits for a viewer. When there is more, all of it is dropped, and the viewer
	// gets the screen as it is when he has taken what he has.
	maxPending = 256 << 10
	// drawEvery is how often at most a viewer of another size is drawn the screen.
	drawEvery = 30 * time.Millisecond
	// inputEvery is how often it is journalled that a viewer typed.
	inputEvery = time.Second
)

// viewer is one attached terminal. Its fields are guarded by holder.mu.
type viewer struct {
	wake    chan struct{} // holds a token when there is something to send
	pending []byte
	behind  bool      // output was dropped: the next thing to send is a snapshot
	resized bool      // the session's size is to be sent
	size    size      // its own; zero: it has no say
	watches bool      // it does not type
	fixed   bool      // it cannot take on the session's size
	typed   time.Time // when it last did, or came: who did so last decides the session's size

	drawn bool          // it is shown view, since the session has another size
	view  terminal.View // while drawn
	stale bool          // what view shows is old
}

// push hands over output. It never waits.
func (v *viewer) push(p []byte) {
	if v.drawn {
		v.stale = true
		v.ring()
		return
	}
	if v.behind {
		return
	}
	if len(v.pending)+len(p) > maxPending {
		v.pending, v.behind = nil, true
	}
	if !v.behind {
		v.pending = append(v.pending, p...)
	}
	v.ring()
}

func (v *viewer) ring() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// attach serves a viewer until he leaves or the session ends.
func (c call) attach(ctx context.Context) {
	v := &viewer{
		wake:    make(chan struct{}, 1),
		behind:  true,
		resized: true,
		size:    size{c.request.Cols, c.request.Rows},
	}
	if !v.size.sensible() {
		v.size = size{}
	}
	v.watches = c.request.Watch
	v.fixed = c.request.Fixed && v.size != size{}
	if err := writeMessage(c.connection, reply{}); err != nil {
		return
	}
	_ = c.connection.SetReadDeadline(time.Time{})
	c.join(v)
	defer c.leave(v)
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		defer c.connection.Close() // ends the reading below
		c.sendOutput(ctx, v)
	})
	c.takeInput(ctx, v)
	cancel()
	group.Wait()
}

// sendOutput sends the viewer what there is for him, until the session has ended and he has all.
func (c call) sendOutput(ctx context.Context, v *viewer) {
	for last := false; ; {
		if err := c.sendPending(v); err != nil || last {
			return
		}
		select {
		case <-v.wake:
		case <-c.ended.Done():
			last = true
		case <-ctx.Done():
			return
		}
		if !last && c.isDrawn(v) {
			c.pause(ctx, drawEvery)
		}
	}
}

func (c call) isDrawn(v *viewer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return v.drawn
}

func (c call) pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.ended.Done():
	case <-ctx.Done():
	}
}

func (c call) sendPending(v *viewer) error {
	c.mu.Lock()
	output, resized, now := v.pending, v.resized, size{c.cols, c.rows}
	if v.drawn && v.stale {
		output = c.screen.Draw(&v.view)
	}
	if v.behind && !v.drawn {
		output = c.screen.Snapshot()
	}
	v.pending, v.behind, v.resized, v.stale = nil, false, false, false
	c.mu.Unlock()
	if resized {
		if err := writeMessage(c.connection, now); err != nil {
			return err
		}
	}
	if len(output) == 0 {
		return nil
	}
	return writeFrame(c.connection, data, output)
}

// takeInput types what the viewer types, until he leaves.
func (c call) takeInput(ctx context.Context, v *viewer) {
	for {
		f, err := readFrame(c.connection)
		if err != nil {
			return
		}
		if c.request.Watch {
			continue
		}
		if f.kind == data {
			c.typed(ctx, v, f.body)
			continue
		}
		c.changedSize(v, f.body)
	}
}

// typed types a viewer's input. He who types decides the size.
func (c call) typed(ctx context.Context, v *viewer, text []byte) {
	c.noteInput()
	c.mu.Lock()
	v.typed = time.Now()
	c.mu.Unlock()
	c.sizeBy(v)
	if err := c.writeFor(ctx, text); err != nil {
		c.log.Warn("viewer's input lost", "err", err)
	}
}

// writeFor types what a viewer types, when no message is on its way.
func (c call) writeFor(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryWait+writeWait)
	defer cancel()
	letGo, err := c.takeBox(ctx)
	if err != nil {
		return err
	}
	defer letGo()
	c.mu.Lock()
	c.viewerInputs++
	c.mu.Unlock()
	return c.write(ctx, text)
}

// noteInput journals that a viewer typed, unless it did so a moment ago. A person's own typing is not refused
// because the journal cannot be written.
func (h *holder) noteInput() {
	now := time.Now()
	h.mu.Lock()
	due := now.Sub(h.lastInput) >= inputEvery
	if due {
		h.lastInput = now
	}
	h.mu.Unlock()
	if !due || h.over() {
		return
	}
	if _, err := h.journal.append(KindInput, Input{now.UTC()}); err != nil {
		h.log.Error("input not journalled", "err", err)
	}
}
