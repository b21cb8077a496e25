// Package terminal is what a session's terminal is made of: the PTY with the child in it, a screen model fed with
// what the child writes, a recording of that in asciicast v3, and plain text made from either for people and
// models to read.
package terminal

// The largest screen. A larger one would only serve to use up memory: a cell takes 12 bytes.
const (
	MaxCols = 500
	MaxRows = 250
)

// Terminal is the screen of an xterm-like terminal, fed with what a program writes. It is not safe for
// concurrent use. Its memory is bounded by its size, whatever is written.
type Terminal struct {
	// Reply is called with the answer to a question that the program asked of its terminal (device attributes,
	// cursor position). An answer consists of constants and of numbers of the model's own, never of written text.
	Reply func(answer []byte)
	// Bell is called for BEL, and Retitled when the title changes. Each may be nil.
	Bell     func()
	Retitled func(title string)

	scrolledOff   func(row []cell) // the main screen's lines as they leave at the top
	leftAlternate func()           // called before the alternate screen is left, or erased to be left

	cols, rows  int
	screen      *grid // the one shown: &main or &alternate
	main        grid
	alternate   grid // has no rows until it is first used
	top, bottom int  // the scroll region's first and last row
	tabs        []bool
	modes       modes
	cursor      cursor
	saved       [2]cursor // by DECSC: of the main screen, of the alternate one
	cursorStyle int       // DECSCUSR
	last        rune      // the last printed, for REP; 0 if something else came since
	styles      interned[style]
	recent      recentStyles
	clusters    interned[string] // what combining marks made of a character
	title       string
	titles      []string // the title stack, of at most maxTitles
	parser      parser
}

// cursor is all that DECSC saves.
type cursor struct {
	x, y     int
	wrapNext bool // a character was printed in the last column: the next one wraps first
	pen      style
	penID    uint32
	charsets [4]charset // G0 to G3
	shift    int        // which of them is in use
	origin   bool       // DECOM: rows count from the scroll region's top
}

// New makes an empty screen. The size is clamped to what Resize allows.
func New(cols, rows int) *Terminal {
	t := &Terminal{cols: clamp(cols, 1, MaxCols), rows: clamp(rows, 1, MaxRows)}
	t.reset()
	return t
}

// reset is RIS: everything as it was at first, except for the title.
func (t *Terminal) reset() {
	t.main.clear(t.cols, t.rows)
	t.alternate = grid{}
	t.screen = &t.main
	t.top, t.bottom = 0, t.rows-1
	t.tabs = defaultTabs(t.cols)
	t.modes = defaultModes()
	t.cursor, t.saved = cursor{}, [2]cursor{}
	t.cursorStyle, t.last = 0, 0
	t.styles, t.clusters, t.recent = interned[style]{}, interned[string]{}, recentStyles{}
}

// Resize changes the size, within 1×1 and MaxCols×MaxRows. Lines are cut or padded, not wrapped anew: a program
// that cares redraws.
func (t *Terminal) Resize(cols, rows int) {
	cols, rows = clamp(cols, 1, MaxCols), clamp(rows, 1, MaxRows)
	if cols == t.cols && rows == t.rows {
		return
	}
	// What is above the cursor stays in sight: lines leave at the top only if there is no room for it below.
	shown := t.shown()
	leaving := [2]int{max(0, t.saved[0].y-(rows-1)), max(0, t.saved[1].y-(rows-1))}
	leaving[shown] = max(0, t.cursor.y-(rows-1))
	t.scrollOff(t.main.lines[:leaving[0]])
	t.main.resize(cols, rows, leaving[0])
	if t.alternate.lines != nil {
		t.alternate.resize(cols, rows, leaving[1])
	}
	t.tabs = resizeTabs(t.tabs, cols)
	t.cols, t.rows = cols, rows
	t.last = 0
	t.top, t.bottom = 0, rows-1
	t.cursor = t.clampCursor(t.cursor, leaving[shown])
	for i := range t.saved {
		t.saved[i] = t.clampCursor(t.saved[i], leaving[i])
	}
}

// shown is which screen is shown: 0 the main one, 1 the alternate one.
func (t *Terminal) shown() int {
	if t.screen == &t.alternate {
		return 1
	}
	return 0
}

// scrollOff tells of rows that leave the main screen at the top.
func (t *Terminal) scrollOff(rows [][]cell) {
	if t.scrolledOff == nil {
		return
	}
	for _, row := range rows {
		t.scrolledOff(row)
	}
}

func (t *Terminal) clampCursor(c cursor, up int) cursor {
	c.x, c.y = clamp(c.x, 0, t.cols-1), clamp(c.y-up, 0, t.rows-1)
	c.wrapNext = false
	return c
}

func clamp(n, low, high int) int { return max(low, min(n, high)) }
