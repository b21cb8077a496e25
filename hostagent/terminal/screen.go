package terminal

import (
	"bytes"
	"strings"
)

// Screen is what a terminal shows at one moment.
type Screen struct {
	Lines          []string `json:"lines"`  // one per row, without trailing blanks
	Strong         []string `json:"strong"` // the same without what is faint (SGR 2), which is how agents show hints
	Cols           int      `json:"cols"`
	Rows           int      `json:"rows"`
	Cursor         [2]int   `json:"cursor"` // column, row; from 0
	CursorHidden   bool     `json:"cursor_hidden"`
	Title          string   `json:"title"`
	Alternate      bool     `json:"alternate"`       // the alternate screen, as full-screen programs use it
	BracketedPaste bool     `json:"bracketed_paste"` // the program wants pastes marked (DECSET 2004)
}

// Screen is what is shown now.
func (t *Terminal) Screen() Screen {
	s := Screen{
		Cols:           t.cols,
		Rows:           t.rows,
		Cursor:         [2]int{t.cursor.x, t.cursor.y},
		CursorHidden:   !t.modes.private(modeCursor),
		Title:          t.title,
		Alternate:      t.screen == &t.alternate,
		BracketedPaste: t.modes.private(modeBracketedPaste),
	}
	for _, row := range t.screen.lines {
		s.Lines = append(s.Lines, t.line(row, 0))
	}
	s.Strong = t.Strong()
	return s
}

// Strong is Screen().Strong.
func (t *Terminal) Strong() []string {
	var lines []string
	for _, row := range t.screen.lines {
		lines = append(lines, t.line(row, faint))
	}
	return lines
}

// line is a row as text without trailing blanks; cells with the attributes in without are blank, and so is the cursor
// that a program draws on the first of them.
func (t *Terminal) line(row []cell, without attribute) string {
	var line []byte
	for x, c := range row {
		has := t.attributes(row, x)
		if has&(hidden|without) != 0 || has&inverse != 0 && t.attributes(row, x+1)&without != 0 {
			line = append(line, ' ')
			continue
		}
		line = t.appendChar(line, c)
	}
	return string(bytes.TrimRight(line, " "))
}

func (t *Terminal) attributes(row []cell, x int) attribute {
	if x >= len(row) {
		return 0
	}
	return t.styles.value(row[x].style).attributes
}

// trimBlank drops the empty lines at the end.
func trimBlank(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
