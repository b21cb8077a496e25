package terminal

// modes are the switches of a terminal.
type modes struct {
	insert  bool   // IRM
	newline bool   // LNM: a line feed also returns
	keypad  bool   // DECKPAM
	set     uint32 // a bit for each of privateModes
}

// privateModes are the modes of CSI ? … h and l that the model keeps, in the order in which a snapshot sets
// them. Origin mode is with the cursor; synchronised output (2026) is left out, since it would freeze a late
// viewer.
var privateModes = [...]int{1, 5, 7, 9, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2031}

const (
	modeWrap           = 7
	modeCursor         = 25
	modeBracketedPaste = 2004
)

func defaultModes() modes {
	var m modes
	m.setPrivate(modeWrap, true)
	m.setPrivate(modeCursor, true)
	return m
}

func privateBit(number int) uint32 {
	for bit, known := range privateModes {
		if known == number {
			return 1 << bit
		}
	}
	return 0
}

func (m *modes) private(number int) bool { return m.set&privateBit(number) != 0 }

func (m *modes) setPrivate(number int, on bool) {
	m.set &^= privateBit(number)
	if on {
		m.set |= privateBit(number)
	}
}

// setModes is CSI h and l, with or without a question mark.
func (t *Terminal) setModes(p params, private, on bool) {
	for i := range p {
		number := p.number(i, 0)
		switch {
		case private:
			t.setPrivateMode(number, on)
		case number == 4:
			t.modes.insert = on
		case number == 20:
			t.modes.newline = on
		}
	}
}

func (t *Terminal) setPrivateMode(number int, on bool) {
	switch number {
	case 6:
		t.cursor.origin = on
		t.moveTo(0, 0)
	case 47, 1047:
		t.showAlternate(on)
	case 1048:
		t.saveOrRestore(on)
	case 1049:
		t.switchAlternate(on)
	default:
		t.modes.setPrivate(number, on)
	}
}

// switchAlternate is mode 1049: the cursor is saved, and restored even if the main screen was there already.
func (t *Terminal) switchAlternate(on bool) {
	if on {
		t.saveCursor()
		t.showAlternate(true)
		return
	}
	t.showAlternate(false)
	t.restoreCursor()
}

// showAlternate changes between the screens. The alternate one is empty whenever it comes.
func (t *Terminal) showAlternate(on bool) {
	if on == (t.screen == &t.alternate) {
		return
	}
	if !on {
		t.leaveAlternate()
		t.screen = &t.main
		return
	}
	if t.alternate.lines == nil {
		t.alternate = newGrid(t.cols, t.rows)
	}
	t.screen = &t.alternate
	t.eraseScreen(2)
}

// leaveAlternate tells that what the alternate screen shows is about to go.
func (t *Terminal) leaveAlternate() {
	if t.screen == &t.alternate && t.leftAlternate != nil {
		t.leftAlternate()
	}
}

func (t *Terminal) saveOrRestore(save bool) {
	if save {
		t.saveCursor()
		return
	}
	t.restoreCursor()
}

func (t *Terminal) savedCursor() *cursor { return &t.saved[t.shown()] }

func (t *Terminal) saveCursor() {
	saved := t.savedCursor()
	*saved = t.cursor
	saved.wrapNext = false
}

func (t *Terminal) restoreCursor() {
	t.cursor = *t.savedCursor()
	t.cursor.penID = t.styleID(t.cursor.pen) // numbers may have changed since
}
