package terminal

import (
	"bytes"
	"unicode/utf8"
)

// Visible is the text that escape sequences and control characters leave of output, and where each of its bytes
// stands there; -1 for what stands for a movement of the cursor. A step to the right is a space, since programs
// leave out what is blank, and any other movement, as a line's end, a line feed. With joined, line feeds go, and the
// spaces around them: so text that was wrapped at the edge, and indented, is whole again, and text that is not one is
// joined, too.
func Visible(output string, joined bool) (text []byte, at []int) {
	var p stripper
	begins := false // a line, of which nothing is seen yet
	space := func(i int) {
		if !begins {
			text, at = append(text, ' '), append(at, i)
		}
	}
	end := func() {
		if !joined {
			text, at = append(text, '\n'), append(at, -1)
			return
		}
		text = bytes.TrimRight(text, " ")
		at, begins = at[:len(text)], true
	}
	for i, r := range output {
		before := p.state
		kept := p.text(r)
		switch {
		case r == '\n' || r == '\r':
			end()
		case kept && r == ' ':
			space(i)
		case kept:
			text, begins = utf8.AppendRune(text, r), false
			for len(at) < len(text) {
				at = append(at, i)
			}
		case before == control && p.state == ground && (r == 'C' || r == 'a'):
			space(-1)
		case before == control && p.state == ground && movesCursor(r):
			end()
		}
	}
	return text, at
}

// movesCursor reports whether a control sequence with this last character may take the cursor to another place.
func movesCursor(final rune) bool {
	switch final {
	case 'A', 'B', 'D', 'E', 'F', 'G', 'H', 'S', 'T', 'Z', '`', 'd', 'e', 'f', 'j', 'k', 'r', 'u':
		return true
	}
	return false
}
