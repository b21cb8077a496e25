package terminal

// moveCursor acts on the sequences that only move the cursor.
func (t *Terminal) moveCursor(final byte, p params) bool {
	c, n := &t.cursor, p.repeat()
	switch final {
	case 'A':
		t.moveRows(-n)
	case 'B':
		t.moveRows(n)
	case 'e':
		t.moveRowsFreely(n)
	case 'C', 'a':
		t.moveColumn(c.x + n)
	case 'D':
		t.moveColumn(c.x - n)
	case 'E':
		t.moveRows(n)
		t.moveColumn(0)
	case 'F':
		t.moveRows(-n)
		t.moveColumn(0)
	case 'G', '`':
		t.moveColumn(n - 1)
	case 'd':
		t.moveTo(c.x, n-1)
	case 'H', 'f':
		t.moveTo(max(1, p.number(1, 1))-1, n-1)
	case 'I':
		t.tab(min(n, t.cols))
	case 'Z':
		t.tab(-min(n, t.cols))
	default:
		return false
	}
	return true
}

// moveTo goes to a column and a row, which counts from the scroll region's top in origin mode.
func (t *Terminal) moveTo(x, y int) {
	top, bottom := 0, t.rows-1
	if t.cursor.origin {
		top, bottom = t.top, t.bottom
	}
	t.cursor.y = clamp(y+top, top, bottom)
	t.moveColumn(x)
}

func (t *Terminal) moveColumn(x int) {
	t.cursor.x, t.cursor.wrapNext = clamp(x, 0, t.cols-1), false
}

// moveRows goes n rows down, but not out of the scroll region if the cursor is inside.
func (t *Terminal) moveRows(n int) {
	c := &t.cursor
	top, bottom := 0, t.rows-1
	if c.y >= t.top {
		top = t.top
	}
	if c.y <= t.bottom {
		bottom = t.bottom
	}
	if n < 0 {
		bottom = t.rows - 1
	} else {
		top = 0
	}
	c.y, c.wrapNext = clamp(c.y+n, top, bottom), false
}

// moveRowsFreely goes n rows down, also out of the scroll region, unless in origin mode.
func (t *Terminal) moveRowsFreely(n int) {
	c, top := &t.cursor, 0
	if c.origin {
		top = t.top
	}
	t.moveTo(c.x, c.y-top+n)
}
