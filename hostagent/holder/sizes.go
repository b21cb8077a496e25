package holder

import (
	"encoding/json"
	"errors"
	"time"

	"switchboard/hostagent/terminal"
)

// fit notices a new size of the viewer or the session. All is shown anew to one who cannot take on the session's size,
// also when it has become his own: his terminal may have wrapped its lines anew, as the screen model does not.
func (v *viewer) fit(session size) {
	if v.fixed {
		v.pending, v.behind = nil, true
	}
	v.drawn = v.fixed && v.size != session
	v.stale = v.drawn
	v.view = terminal.View{Cols: v.size.Cols, Rows: v.size.Rows}
	v.ring()
}

// hasSay reports whether the viewer may decide the session's size.
func (v *viewer) hasSay() bool { return v.size != size{} && !v.watches }

func (h *holder) join(v *viewer) {
	h.mu.Lock()
	h.viewers[v] = true
	first := h.sizedBy == nil
	v.typed = time.Now()
	v.fit(size{h.cols, h.rows})
	h.mu.Unlock()
	if first {
		h.sizeBy(v)
	}
}

// leave takes a viewer out. If he decided the size, who typed last before him decides it now.
func (h *holder) leave(v *viewer) {
	h.mu.Lock()
	delete(h.viewers, v)
	decided := h.sizedBy == v
	var next *viewer
	if decided {
		h.sizedBy = nil
		for other := range h.viewers {
			if other.hasSay() && (next == nil || other.typed.After(next.typed)) {
				next = other
			}
		}
	}
	h.mu.Unlock()
	if next != nil {
		h.sizeBy(next)
	}
}

// sizeBy lets the viewer decide the session's size from now on.
func (h *holder) sizeBy(v *viewer) {
	h.mu.Lock()
	if !v.hasSay() || !h.viewers[v] {
		h.mu.Unlock()
		return
	}
	wanted := v.size.allowed()
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
		v.fit(to)
	}
	return journalErr
}

// changedSize takes a viewer's new size, and the session's with it if he decides that.
func (c call) changedSize(v *viewer, body []byte) {
	var to size
	if json.Unmarshal(body, &to) != nil || !to.sensible() {
		return
	}
	c.mu.Lock()
	v.size = to
	v.fit(size{c.cols, c.rows})
	decides := c.sizedBy == v
	c.mu.Unlock()
	if decides {
		c.sizeBy(v)
	}
}
