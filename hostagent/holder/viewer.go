package holder

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

const (
	// maxPending is how much output waits for a viewer. When there is more, all of it is dropped, and the viewer
	// gets the screen as it is when he has taken what he has.
	maxPending = 256 << 10
	// inputEvery is how often it is journalled that a viewer typed.
	inputEvery = time.Second
)

// viewer is one attached terminal. Its fields are guarded by holder.mu.
type viewer struct {
	wake    chan struct{} // holds a token when there is something to send
	pending []byte
	behind  bool // output was dropped: the next thing to send is a snapshot
	resized bool // the session's size is to be sent
	size    size // its own; zero: it has no say
}

// push hands over output. It never waits.
func (v *viewer) push(p []byte) {
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
	if c.request.Watch || c.request.checkSize() != nil {
		v.size = size{}
	}
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

func (h *holder) join(v *viewer) {
	h.mu.Lock()
	h.viewers[v] = true
	first := h.sizedBy == nil
	h.mu.Unlock()
	v.ring()
	if first {
		h.sizeBy(v)
	}
}

func (h *holder) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, v)
	if h.sizedBy == v {
		h.sizedBy = nil
	}
}

// sizeBy lets the viewer decide the session's size from now on.
func (h *holder) sizeBy(v *viewer) {
	h.mu.Lock()
	wanted := v.size
	if wanted == (size{}) {
		h.mu.Unlock()
		return
	}
	h.sizedBy = v
	h.mu.Unlock()
	if err := h.resize(wanted); err != nil {
		h.log.Warn("terminal not resized", "err", err)
	}
}

// resize changes the terminal's size, in the journal first. A journal that cannot be written does not hinder it.
func (h *holder) resize(to size) error {
	h.mu.Lock()
	same := to == size{h.cols, h.rows}
	h.mu.Unlock()
	if same || h.over() {
		return nil
	}
	_, journalErr := h.journal.append(KindResized, Resized(to))
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.pty.Resize(to.Cols, to.Rows); err != nil {
		return errors.Join(err, journalErr)
	}
	h.cols, h.rows = to.Cols, to.Rows
	h.screen.Resize(to.Cols, to.Rows)
	h.recorder.Resize(to.Cols, to.Rows)
	for v := range h.viewers {
		v.resized = true
		v.ring()
	}
	return journalErr
}

// sendOutput sends the viewer what there is for him, until the session has ended and he has all.
func (c call) sendOutput(ctx context.Context, v *viewer) {
	for last := false; ; {
		if err := c.sendPending(v); err != nil || last {
			return
		}
		select {
		case <-v.wake:
		case <-c.ended:
			last = true
		case <-ctx.Done():
			return
		}
	}
}

func (c call) sendPending(v *viewer) error {
	c.mu.Lock()
	output, resized, now := v.pending, v.resized, size{c.cols, c.rows}
	if v.behind {
		output = c.screen.Snapshot()
	}
	v.pending, v.behind, v.resized = nil, false, false
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
	c.sizeBy(v)
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	if err := c.write(ctx, text); err != nil {
		c.log.Warn("viewer's input lost", "err", err)
	}
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

// changedSize takes a viewer's new size, and the session's with it if he decides that.
func (c call) changedSize(v *viewer, body []byte) {
	var to size
	if json.Unmarshal(body, &to) != nil || (request{Cols: to.Cols, Rows: to.Rows}).checkSize() != nil {
		return
	}
	c.mu.Lock()
	v.size = to
	decides := c.sizedBy == v
	c.mu.Unlock()
	if decides {
		c.sizeBy(v)
	}
}
