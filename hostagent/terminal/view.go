package terminal

import "strconv"

// View is a terminal of another size than the screen that it is shown. What a program wrote for one size is garbled
// by another: text wraps, scrolls and is erased elsewhere. So a view gets rows that are drawn for it, as many as fit,
// around the cursor; a larger one has blank space beside them. The zero View with a size has been drawn nothing yet.
type View struct {
	Cols, Rows int

	drawn     []string // each row as it was drawn; nil: nothing was
	x, y      int      // the part of the screen that is shown begins here
	alternate bool
	modes     uint32
	keypad    bool
	title     string
}

// viewModes are the modes that a view takes on: how keys are sent, and how the screen looks. Mice and focus are left
// alone, for what a click means depends on what is where, and nobody has typed who only points.
var viewModes = []int{1, 5, 2004}

// Draw is what makes the view show the screen as it is now, after what Draw last returned for it.
func (t *Terminal) Draw(v *View) []byte {
	out := []byte("\x1b[?25l")
	if v.drawn == nil || v.alternate != (t.screen == &t.alternate) {
		out = t.beginView(out, v)
	}
	v.follow(t.cursor.x, t.cursor.y)
	for row := range v.drawn {
		now := string(t.appendViewRow(nil, v, row))
		if now == v.drawn[row] {
			continue
		}
		v.drawn[row] = now
		out = append(appendControl(out, 'H', row+1, 1), now...)
	}
	out = t.appendViewModes(out, v)
	out = appendControl(out, 'H', t.cursor.y-v.y+1, t.cursor.x-v.x+1)
	if t.modes.private(modeCursor) {
		out = append(out, "\x1b[?25h"...)
	}
	return out
}

// beginView empties the view, whatever was shown on it before.
func (t *Terminal) beginView(out []byte, v *View) []byte {
	out = append(out, resetModes...)
	v.alternate = t.screen == &t.alternate
	if v.alternate {
		out = append(out, "\x1b[?47h"...)
	}
	v.drawn = make([]string, v.Rows)
	v.modes, v.keypad = 0, false
	return append(out, "\x1b[?25l\x1b[m\x1b[2J"...)
}

// follow moves the part that is shown as little as it takes to have the cursor in it.
func (v *View) follow(x, y int) {
	v.x = clamp(v.x, max(0, x-v.Cols+1), x)
	v.y = clamp(v.y, max(0, y-v.Rows+1), y)
}

// appendViewRow adds what draws a row of the view. A character that is half outside is not shown.
func (t *Terminal) appendViewRow(out []byte, v *View, row int) []byte {
	var cells []cell
	if y := v.y + row; y < t.rows {
		all := t.screen.lines[y]
		cells = append(cells, all[min(v.x, t.cols):min(v.x+v.Cols, t.cols)]...)
	}
	if len(cells) > 0 && cells[0].half == right {
		cells[0] = cell{style: cells[0].style}
	}
	if last := len(cells) - 1; last >= 0 && cells[last].half == left {
		cells[last] = cell{style: cells[last].style}
	}
	end := len(cells)
	for end > 0 && cells[end-1].blank() {
		end--
	}
	out = t.appendCells(out, cells[:end])
	if end < v.Cols { // in the last column a terminal may erase what was just drawn there
		out = append(out, "\x1b[K"...)
	}
	return out
}

func (t *Terminal) appendViewModes(out []byte, v *View) []byte {
	for _, number := range viewModes {
		bit := privateBit(number)
		if (t.modes.set^v.modes)&bit == 0 {
			continue
		}
		out = append(out, "\x1b[?"...)
		out = strconv.AppendInt(out, int64(number), 10)
		out = append(out, map[bool]byte{true: 'h', false: 'l'}[t.modes.set&bit != 0])
	}
	if t.modes.keypad != v.keypad {
		out = append(out, map[bool]string{true: "\x1b=", false: "\x1b>"}[t.modes.keypad]...)
	}
	if t.title != v.title {
		out = appendTitle(out, t.title)
	}
	v.modes, v.keypad, v.title = t.modes.set, t.modes.keypad, t.title
	return out
}
