package terminal

import "unicode/utf8"

// Visible is the text that escape sequences and control characters leave of output, and where each of its bytes
// stands there; -1 for what stands for a movement of the cursor. A step to the right is a space, since programs
// leave out what is blank, and any other movement, as a line's end, a line feed. With joined, only spaces remain of
// movements: so text that was wrapped at the edge is whole again, and text that is not one is joined, too.
func Visible(output string, joined bool) (text []byte, at []int) {
	var p stripper
	move := func(as byte) {
		if as == ' ' || !joined {
			text, at = append(text, as), append(at, -1)
		}
	}
	for i, r := range output {
		before := p.state
		kept := p.text(r)
		switch {
		case r == '\n' || r == '\r':
			move('\n')
		case kept:
			text = utf8.AppendRune(text, r)
			for len(at) < len(text) {
				at = append(at, i)
			}
		case before == control && p.state == ground:
			switch {
			case r == 'C' || r == 'a':
				move(' ')
			case movesCursor(r):
				move('\n')
			}
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
