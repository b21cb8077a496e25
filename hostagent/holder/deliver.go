package holder

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	deliveryWait = 2 * time.Minute // for the child to take a long text
	// atOnce is how many bytes every terminal takes in without tearing them, while they are not read: macOS's the
	// fewest, 1 KiB.
	atOnce = 1000
	// shownWithin is how long a child that shows what it reads may take to.
	shownWithin = 2 * time.Second
	// heldFor is how long what viewers type waits, once a text is typed, until it is submitted.
	heldFor = 3 * time.Second
	// keptWithin is how long notes wait for the first keys to be typed, before they are put on disk. The disk would take
	// the processor from the child.
	keptWithin = 5 * time.Millisecond
)

// deliver serves a Delivery: it types a text if the terminal is as it was seen, and on a further word submits it. The
// first reply says that the notes are on disk, the second that all is typed, the third that it is submitted.
func (c call) deliver(ctx context.Context) {
	keys, err := readData(c.connection)
	if err != nil {
		return // the peer has gone, or speaks as no host agent does
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryWait)
	defer cancel()
	letGo, err := c.takeBox(ctx)
	if err != nil {
		c.say(outcome(err))
		return
	}
	defer letGo()
	viewers, typed := c.typeSeen(ctx, keys)
	if !typed {
		return
	}
	defer time.AfterFunc(heldFor, letGo).Stop()
	_ = c.connection.SetReadDeadline(time.Now().Add(deliveryWait))
	submit, err := readData(c.connection)
	if err != nil {
		return // whoever wanted it typed does not submit it
	}
	c.say(c.submit(ctx, submit, viewers))
}

// takeBox keeps viewers from typing until letGo is called.
func (h *holder) takeBox(ctx context.Context) (letGo func(), err error) {
	select {
	case h.box <- struct{}{}:
		return sync.OnceFunc(func() { <-h.box }), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("type: somebody else is typing: %w", ctx.Err())
	}
}

// typeSeen types the text unless something has come over the terminal since the peer looked. It journals that first,
// for good while the text is on its way already: only what is submitted has an effect that a loss of power does not
// undo, and nothing is before it is on disk. It returns how often viewers had typed by then.
func (c call) typeSeen(ctx context.Context, keys []byte) (viewers uint64, typed bool) {
	letGo, err := c.takeTyping(ctx)
	if err != nil {
		c.say(outcome(err))
		return 0, false
	}
	defer letGo()
	now, viewers := c.seen()
	if c.request.Seen == nil || !c.request.Seen.holds(now) {
		c.say(reply{Stale: true})
		return 0, false
	}
	noted, err := c.writeNotes()
	if err != nil {
		c.say(outcome(err))
		return 0, false
	}
	var group sync.WaitGroup
	kept := false
	keep := sync.OnceFunc(func() {
		group.Go(func() {
			answer := c.keep(noted)
			kept = answer.Error == ""
			c.say(answer)
		})
	})
	timer := time.AfterFunc(keptWithin, keep) // the child does not read
	err = c.typeParts(ctx, keys, keep)
	timer.Stop()
	group.Wait()
	if kept {
		c.say(outcome(err))
	}
	return viewers, kept && err == nil
}

// typeParts types each part in one write, and lets the child read before a terminal is full: where its room ends, a part
// would be torn. That the child has read shows in its output; one that shows nothing is not waited for again. Begun is
// called when the first part is typed.
func (c call) typeParts(ctx context.Context, keys []byte, begun func()) error {
	defer c.countInput()
	defer begun()
	shows, unread := true, 0
	for _, size := range c.request.Parts {
		size = min(max(size, 0), len(keys))
		if shows && unread > 0 && unread+size > atOnce {
			shows, unread = c.awaitOutput(ctx), 0
		}
		select {
		case <-c.came: // by what was read before
		default:
		}
		if err := c.pty.Write(ctx, keys[:size]); err != nil {
			return err
		}
		begun()
		keys, unread = keys[size:], unread+size
	}
	return c.pty.Write(ctx, keys)
}

// awaitOutput reports whether output comes.
func (c call) awaitOutput(ctx context.Context) bool {
	timer := time.NewTimer(shownWithin)
	defer timer.Stop()
	select {
	case <-c.came:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// writeNotes writes the notes, and returns the last one's N; 0 if there are none.
func (c call) writeNotes() (uint64, error) {
	for _, note := range c.request.Notes {
		if reserved[note.Kind] {
			return 0, errReserved(note.Kind)
		}
	}
	if len(c.request.Notes) == 0 {
		return 0, nil
	}
	return c.journal.write(c.request.Notes...)
}

// keep is the reply once the notes, of which the last is n, are on disk.
func (c call) keep(n uint64) reply {
	if n == 0 {
		return reply{}
	}
	if err := c.journal.sync(n); err != nil {
		return outcome(err)
	}
	for i, note := range c.request.Notes {
		c.recorder.Mark(Mark(n-uint64(len(c.request.Notes)-1-i), note.Kind))
	}
	return reply{N: n}
}

// submit types the keys unless a viewer has typed since the text was.
func (c call) submit(ctx context.Context, keys []byte, viewers uint64) reply {
	letGo, err := c.takeTyping(ctx)
	if err != nil {
		return outcome(err)
	}
	defer letGo()
	if _, now := c.seen(); now != viewers {
		return reply{Stale: true}
	}
	c.countInput()
	return outcome(c.pty.Write(ctx, keys))
}

// seen is what has come over the terminal, and how often viewers have typed.
func (h *holder) seen() (all Seen, viewers uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Seen{Outputs: h.outputs, Inputs: h.inputs}, h.viewerInputs
}

func (h *holder) countInput() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inputs++
	h.lastTyped = time.Now()
}

// look waits until it is quiet, and looks.
func (c call) look(ctx context.Context) Look {
	ctx, cancel := context.WithTimeout(ctx, min(c.request.Patience, quietWait))
	defer cancel()
	c.waitQuiet(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	return Look{Strong: c.screen.Strong(), LastInput: c.lastInput, Seen: Seen{Outputs: c.outputs, Inputs: c.inputs}}
}
