package terminal

import "github.com/mattn/go-runewidth"

// width counts columns as xterm does, whatever this process's locale says. From its v0.0.26 on, go-runewidth fills a
// table of 2.2 MB at the first character beyond Latin, which every session's process would then hold: hence v0.0.25.
var width = runewidth.Condition{StrictEmojiNeutral: true}

// printASCII prints characters of one column each.
func (t *Terminal) printASCII(p []byte) {
	c := &t.cursor
	if c.charsets[c.shift] != ascii || t.modes.insert {
		for _, b := range p {
			t.print(rune(b))
		}
		return
	}
	t.last = rune(p[len(p)-1])
	for len(p) > 0 {
		t.wrap()
		row := t.screen.lines[c.y]
		n := min(len(p), t.cols-c.x)
		style := c.penID
		splitWide(row, c.x, cell{style: style})
		splitWide(row, c.x+n, cell{style: style})
		cells := row[c.x : c.x+n]
		for i, b := range p[:n] {
			cells[i] = cell{char: uint32(b), style: style}
		}
		t.advance(n)
		p = p[n:]
		if len(p) > 0 && !t.modes.private(modeWrap) {
			p = p[len(p)-1:] // without wrapping, the last column shows the last character
		}
	}
}

// print prints one character of the charset in use.
func (t *Terminal) print(r rune) { t.show(t.cursor.charsets[t.cursor.shift].translate(r)) }

// show prints one character.
func (t *Terminal) show(r rune) {
	c := &t.cursor
	if unseen(r) {
		return
	}
	columns := 1
	if r >= 0x80 {
		columns = width.RuneWidth(r)
	}
	if columns == 0 {
		t.combine(r)
		return
	}
	if columns > t.cols {
		return
	}
	t.last = r
	t.wrap()
	if c.x+columns > t.cols && !t.wrapEarly() {
		return
	}
	row := t.screen.lines[c.y]
	if t.modes.insert {
		insertCells(row, c.x, columns, t.blank())
	}
	splitWide(row, c.x, cell{style: c.penID})
	splitWide(row, c.x+columns, cell{style: c.penID})
	row[c.x] = cell{char: uint32(r), style: c.penID}
	if columns == 2 {
		row[c.x].half = left
		row[c.x+1] = cell{style: c.penID, half: right}
	}
	t.advance(columns)
}

// wrap goes to the next line if the last character filled this one.
func (t *Terminal) wrap() {
	if !t.cursor.wrapNext {
		return
	}
	t.cursor.wrapNext = false
	if t.modes.private(modeWrap) {
		t.cursor.x = 0
		t.lineFeed()
	}
}

// wrapEarly makes room for a two-column character in the last column; false if lines do not wrap.
func (t *Terminal) wrapEarly() bool {
	if !t.modes.private(modeWrap) {
		return false
	}
	row := t.screen.lines[t.cursor.y]
	erase(row, t.cursor.x, t.cols, cell{style: t.cursor.penID})
	t.cursor.x = 0
	t.lineFeed()
	return true
}

func (t *Terminal) advance(columns int) {
	t.cursor.x += columns
	if t.cursor.x >= t.cols {
		t.cursor.x = t.cols - 1
		t.cursor.wrapNext = true
	}
}

// unseen reports characters that show nothing but can make text read otherwise than it is: direction overrides,
// joiners of words, invisible operators and tags.
func unseen(r rune) bool {
	switch {
	case r == 0x61c, r == 0xfeff, r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e:
		return true
	}
	return r >= 0x2060 && r <= 0x2064 || r >= 0x2066 && r <= 0x2069 || r >= 0xe0000 && r <= 0xe007f
}
