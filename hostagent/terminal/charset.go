package terminal

// charset is what a byte stands for.
type charset uint8

const (
	ascii    charset = iota
	graphics         // DEC special graphics: lines and corners, as dialogs draw them
	british          // # is £
)

// charsetBy is the charset's letter in ESC ( and its like; unknown ones are ASCII.
func charsetBy(letter rune) charset {
	switch letter {
	case '0':
		return graphics
	case 'A':
		return british
	}
	return ascii
}

// letter is the reverse of charsetBy.
func (c charset) letter() byte { return "B0A"[c] }

// drawing is what the characters from 0x60 to 0x7e are in DEC special graphics.
const drawing = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"

var drawings = []rune(drawing)

func (c charset) translate(r rune) rune {
	if c == graphics && r >= 0x60 && r <= 0x7e {
		return drawings[r-0x60]
	}
	if c == british && r == '#' {
		return '£'
	}
	return r
}
