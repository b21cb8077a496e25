package terminal

import "strconv"

// resetModes makes a terminal's modes the usual ones, as far as programs change them and snapshots set them; what a
// person may have chosen himself, such as how the cursor blinks or the wheel scrolls, stays.
const resetModes = "\x1b[?1049l\x1b[!p\x1b[?1;5;9;45;66;1000;1002;1003;1004;1005;1006;1015;1016;2004;2031l\x1b[?7h\x1b[4l\x1b[20l\x1b>\x1b[m"

func appendTitle(out []byte, title string) []byte {
	out = append(out, "\x1b]2;"...)
	out = append(out, title...)
	return append(out, '\x07')
}

// Snapshot is text with escape sequences that makes any fresh terminal of the same size show what is shown now,
// with the same modes, so that what the program writes next means the same there.
func (t *Terminal) Snapshot() []byte {
	out := append(make([]byte, 0, len(resetModes)+2*t.cols*t.rows), resetModes...)
	if t.title != "" {
		out = appendTitle(out, t.title)
	}
	out = t.appendTabs(out)
	out = t.appendGrid(out, &t.main)
	out = t.appendCursor(out, t.saved[0], 0, t.rows-1)
	out = append(out, "\x1b7"...)
	if t.screen == &t.alternate {
		out = append(out, "\x1b[?47h"...)
		out = t.appendGrid(out, &t.alternate)
		out = t.appendCursor(out, t.saved[1], 0, t.rows-1)
		out = append(out, "\x1b7"...)
	}
	out = t.appendModes(out)
	if t.top != 0 || t.bottom != t.rows-1 {
		out = appendControl(out, 'r', t.top+1, t.bottom+1)
	}
	out = t.appendCursor(out, t.cursor, t.top, t.bottom)
	return t.appendWrapNext(out)
}

// appendControl adds CSI with numbers and a final letter.
func appendControl(out []byte, final byte, numbers ...int) []byte {
	out = append(out, "\x1b["...)
	for i, n := range numbers {
		if i > 0 {
			out = append(out, ';')
		}
		out = strconv.AppendInt(out, int64(n), 10)
	}
	return append(out, final)
}

func (t *Terminal) appendTabs(out []byte) []byte {
	out = append(out, "\x1b[3g"...)
	for x, stop := range t.tabs {
		if stop {
			out = append(appendControl(out, 'H', 1, x+1), "\x1bH"...)
		}
	}
	return out
}

// appendGrid draws all rows on an empty screen.
func (t *Terminal) appendGrid(out []byte, g *grid) []byte {
	out = append(out, "\x1b[m\x1b[2J"...)
	for y, row := range g.lines {
		end := len(row)
		for end > 0 && row[end-1].blank() {
			end--
		}
		if end == 0 {
			continue
		}
		out = appendControl(out, 'H', y+1, 1)
		out = t.appendCells(out, row[:end])
	}
	return append(out, "\x1b[m"...)
}

func (t *Terminal) appendCells(out []byte, row []cell) []byte {
	current := uint32(0)
	for _, c := range row {
		if c.style != current && c.half != right {
			out = t.styles.value(c.style).appendSGR(out)
			current = c.style
		}
		out = t.appendChar(out, c)
	}
	if current != 0 {
		out = append(out, "\x1b[m"...)
	}
	return out
}

// appendCursor puts the cursor with its pen, charsets and origin mode; top and bottom are the scroll region.
func (t *Terminal) appendCursor(out []byte, c cursor, top, bottom int) []byte {
	y := c.y
	out = append(out, "\x1b[?6l"...)
	if c.origin {
		out = append(out, "\x1b[?6h"...)
		y = clamp(y, top, bottom) - top
	}
	out = appendControl(out, 'H', y+1, c.x+1)
	for i, set := range c.charsets {
		out = append(out, esc, "()*+"[i], set.letter())
	}
	out = append(out, []string{"\x0f", "\x0e", "\x1bn", "\x1bo"}[c.shift]...)
	return c.pen.appendSGR(out)
}

func (t *Terminal) appendModes(out []byte) []byte {
	for bit, number := range privateModes {
		on := t.modes.set&(1<<bit) != 0
		if on == (defaultModes().set&(1<<bit) != 0) {
			continue
		}
		out = append(out, "\x1b[?"...)
		out = strconv.AppendInt(out, int64(number), 10)
		out = append(out, map[bool]byte{true: 'h', false: 'l'}[on])
	}
	if t.modes.insert {
		out = append(out, "\x1b[4h"...)
	}
	if t.modes.newline {
		out = append(out, "\x1b[20h"...)
	}
	if t.modes.keypad {
		out = append(out, "\x1b="...)
	}
	if t.cursorStyle != 0 {
		out = append(appendControl(out, ' ', t.cursorStyle), 'q')
	}
	return out
}

// appendWrapNext prints the last column's character again, so that the next one wraps.
func (t *Terminal) appendWrapNext(out []byte) []byte {
	c := t.cursor
	if !c.wrapNext {
		return out
	}
	row := t.screen.lines[c.y]
	x := c.x
	if row[x].half == right {
		x--
		out = append(out, '\b')
	}
	out = append(out, "\x1b(B\x0f"...)
	out = append(out, "\x1b[4l"...)
	out = t.styles.value(row[x].style).appendSGR(out)
	out = t.appendChar(out, row[x])
	if t.modes.insert {
		out = append(out, "\x1b[4h"...)
	}
	out = append(out, esc, '(', c.charsets[0].letter())
	out = append(out, []string{"\x0f", "\x0e", "\x1bn", "\x1bo"}[c.shift]...)
	return c.pen.appendSGR(out)
}
