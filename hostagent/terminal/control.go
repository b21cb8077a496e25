package terminal

// control acts on a C0 control, also in the midst of a sequence.
func (t *Terminal) control(r rune) {
	c := &t.cursor
	t.last = 0
	switch r {
	case bel:
		if t.Bell != nil {
			t.Bell()
		}
	case '\b':
		c.x, c.wrapNext = max(0, c.x-1), false
	case '\t':
		t.tab(1)
	case '\n', '\v', '\f':
		t.lineFeed()
		if t.modes.newline {
			c.x = 0
		}
	case '\r':
		c.x, c.wrapNext = 0, false
	case 0x0e:
		c.shift = 1
	case 0x0f:
		c.shift = 0
	}
}

// escapeStep takes the character after ESC, or after ESC and an intermediate.
func (t *Terminal) escapeStep(r rune) {
	p := &t.parser
	if r >= ' ' && r <= '/' {
		p.intermediate = byte(r)
		return
	}
	intermediate := p.intermediate
	p.begin(ground)
	if r != '[' {
		t.last = 0
	}
	switch intermediate {
	case 0:
		t.plainEscape(r)
	case '(', ')', '*', '+':
		t.cursor.charsets[intermediate-'('] = charsetBy(r)
	case '#':
		if r == '8' {
			t.alignmentPattern()
		}
	}
}

func (t *Terminal) plainEscape(r rune) {
	c := &t.cursor
	switch r {
	case '[':
		t.parser.begin(control)
	case ']':
		t.parser.begin(command)
	case 'P', 'X', '^', '_':
		t.parser.begin(otherStrings)
	case '7':
		t.saveCursor()
	case '8':
		t.restoreCursor()
	case 'D':
		t.lineFeed()
	case 'E':
		c.x = 0
		t.lineFeed()
	case 'M':
		t.reverseLineFeed()
	case 'H':
		t.tabs[c.x] = true
	case '=', '>':
		t.modes.keypad = r == '='
	case 'n', 'o':
		c.shift = int(r-'n') + 2
	case 'c':
		t.reset()
	}
}

func (t *Terminal) lineFeed() {
	c := &t.cursor
	c.wrapNext = false
	if c.y == t.bottom {
		t.scrollUp(t.top, 1)
		return
	}
	c.y = min(c.y+1, t.rows-1)
}

func (t *Terminal) reverseLineFeed() {
	c := &t.cursor
	c.wrapNext = false
	if c.y == t.top {
		t.screen.scrollDown(t.top, t.bottom, 1, t.blank())
		return
	}
	c.y = max(c.y-1, 0)
}

// scrollUp moves the scroll region's rows from top on up by n.
func (t *Terminal) scrollUp(top, n int) {
	if top == 0 && t.screen == &t.main {
		t.scrollOff(t.main.lines[:min(n, t.bottom+1)])
	}
	t.screen.scrollUp(top, t.bottom, n, t.blank())
}

// tab goes n stops on, or back if n is negative.
func (t *Terminal) tab(n int) {
	c := &t.cursor
	for step := 1; n != 0; n -= step {
		if n < 0 {
			step = -1
		}
		for {
			next := c.x + step
			if next < 0 || next >= t.cols {
				return
			}
			c.x = next
			c.wrapNext = false
			if t.tabs[c.x] {
				break
			}
		}
	}
}

// blank is what erased cells become: empty, but in the pen's background colour.
func (t *Terminal) blank() cell {
	if t.cursor.pen.background == 0 {
		return cell{}
	}
	return cell{style: t.styleID(style{background: t.cursor.pen.background})}
}

// alignmentPattern is DECALN: a screen full of E.
func (t *Terminal) alignmentPattern() {
	t.top, t.bottom = 0, t.rows-1
	for _, row := range t.screen.lines {
		fillCells(row, cell{char: 'E'})
	}
	t.moveTo(0, 0)
}
