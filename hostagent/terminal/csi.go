package terminal

// dispatch acts on a whole CSI.
func (t *Terminal) dispatch(final byte) {
	p := t.parser.params
	if final != 'b' {
		t.last = 0
	}
	switch {
	case t.parser.prefix == 0 && t.parser.intermediate == 0 && final == 'm':
		t.selectGraphics(p)
	case t.parser.prefix == 0 && t.parser.intermediate == 0:
		if !t.moveCursor(final, p) && !t.edit(final, p) {
			t.plainControl(final, p)
		}
	case t.parser.prefix == 0:
		t.intermediateControl(t.parser.intermediate, final, p)
	case t.parser.intermediate == 0:
		t.prefixedControl(t.parser.prefix, final, p)
	case t.parser.prefix == '?' && t.parser.intermediate == '$' && final == 'p':
		t.reportMode(p.number(0, 0))
	}
}

// edit acts on the sequences that erase, insert, delete and scroll.
func (t *Terminal) edit(final byte, p params) bool {
	c, n, row := &t.cursor, p.repeat(), t.screen.lines[t.cursor.y]
	switch final {
	case '@':
		insertCells(row, c.x, n, t.blank())
	case 'P':
		deleteCells(row, c.x, n, t.blank())
	case 'X':
		erase(row, c.x, min(t.cols, c.x+n), t.blank())
	case 'J':
		t.eraseScreen(p.number(0, 0))
	case 'K':
		t.eraseLine(p.number(0, 0))
	case 'L', 'M':
		t.insertOrDeleteLines(final == 'L', n)
	case 'S':
		t.scrollUp(t.top, min(n, t.rows))
	case 'T':
		t.screen.scrollDown(t.top, t.bottom, min(n, t.rows), t.blank())
	case 'b':
		t.repeatLast(n)
	default:
		return false
	}
	if final != 'b' && final != 'S' && final != 'T' && final != 'J' && final != 'K' {
		c.wrapNext = false
	}
	return true
}

func (t *Terminal) eraseScreen(what int) {
	c, fill := &t.cursor, t.blank()
	from, to := 0, t.rows
	switch what {
	case 0:
		t.eraseLine(0)
		from = c.y + 1
	case 1:
		t.eraseLine(1)
		to = c.y
	case 2:
	default:
		return // 3 erases the scrollback, which is not kept
	}
	for _, row := range t.screen.lines[from:to] {
		fillCells(row, fill)
	}
}

// eraseLine is EL. A cursor that has yet to wrap is behind the last column: to the right of it is nothing, as in
// xterm.js, VTE and tmux. Otherwise grep's colours would cost the last character of a full line.
func (t *Terminal) eraseLine(what int) {
	c, row := &t.cursor, t.screen.lines[t.cursor.y]
	switch what {
	case 0:
		if !c.wrapNext {
			erase(row, c.x, t.cols, t.blank())
		}
	case 1:
		erase(row, 0, c.x+1, t.blank())
	case 2:
		erase(row, 0, t.cols, t.blank())
	}
}

func (t *Terminal) insertOrDeleteLines(insert bool, n int) {
	c := &t.cursor
	if c.y < t.top || c.y > t.bottom {
		return
	}
	n = min(n, t.rows)
	c.x = 0
	if insert {
		t.screen.scrollDown(c.y, t.bottom, n, t.blank())
		return
	}
	t.screen.scrollUp(c.y, t.bottom, n, t.blank())
}

// repeatLast is REP: the last character again, without its marks, if it was printed just before. No more is repeated
// than fits on a line, so that a few bytes cannot cost much time.
func (t *Terminal) repeatLast(n int) {
	if t.last == 0 {
		return
	}
	last := t.last
	for range min(n, t.cols) {
		t.show(last)
	}
	t.last = 0
}

// plainControl acts on the other sequences without prefix.
func (t *Terminal) plainControl(final byte, p params) {
	switch final {
	case 'h', 'l':
		t.setModes(p, false, final == 'h')
	case 'r':
		t.setRegion(p.number(0, 1), p.number(1, t.rows))
	case 's', 'u':
		t.saveOrRestore(final == 's')
	case 'g':
		t.clearTabs(p.number(0, 0))
	case 'c':
		t.reply("\x1b[?62;22c") // a VT220 with colours
	case 'n':
		t.reportStatus(p.number(0, 0))
	case 't':
		t.windowControl(p.number(0, 0))
	}
}

// setRegion is DECSTBM, with rows counted from 1.
func (t *Terminal) setRegion(top, bottom int) {
	if bottom == 0 || bottom > t.rows {
		bottom = t.rows
	}
	top = max(1, top)
	if top >= bottom {
		return
	}
	t.top, t.bottom = top-1, bottom-1
	t.moveTo(0, 0)
}

func (t *Terminal) clearTabs(what int) {
	switch what {
	case 0:
		t.tabs[t.cursor.x] = false
	case 3:
		clear(t.tabs)
	}
}

// intermediateControl acts on sequences such as CSI ! p.
func (t *Terminal) intermediateControl(intermediate, final byte, p params) {
	switch {
	case intermediate == '!' && final == 'p':
		t.softReset()
	case intermediate == ' ' && final == 'q':
		t.cursorStyle = clamp(p.number(0, 0), 0, 6)
	}
}

// softReset is DECSTR: the modes, not what is shown.
func (t *Terminal) softReset() {
	t.modes.insert, t.modes.keypad = false, false
	t.modes.setPrivate(1, false)
	t.modes.setPrivate(modeCursor, true)
	t.top, t.bottom = 0, t.rows-1
	t.cursor = cursor{x: t.cursor.x, y: t.cursor.y}
	*t.savedCursor() = cursor{}
}

// prefixedControl acts on sequences such as CSI ? 25 h. Key-reporting levels (CSI > … m and CSI > … u) are left
// to real terminals.
func (t *Terminal) prefixedControl(prefix, final byte, p params) {
	switch {
	case prefix == '?' && (final == 'h' || final == 'l'):
		t.setModes(p, true, final == 'h')
	case prefix == '?' && final == 'J':
		t.eraseScreen(p.number(0, 0))
	case prefix == '?' && final == 'K':
		t.eraseLine(p.number(0, 0))
	case prefix == '?' && final == 'n':
		t.reportStatus(p.number(0, 0))
	case prefix == '>' && final == 'c':
		t.reply("\x1b[>0;276;0c")
	}
}
