package terminal

import "unicode/utf8"

// parser turns bytes into characters, controls and sequences. It decodes UTF-8 first, so that a byte inside a
// character is never taken for a control: the title "✳ Claude Code" is E2 9C B3 …, and 9C alone would end it.
type parser struct {
	state        state
	partial      []byte // the beginning of a character whose rest has not come yet
	params       params
	prefix       byte // '?', '>', '<', '=' or 0
	intermediate byte // the last one; a second one makes the sequence unknown
	text         []byte
	escaped      bool // inside a string, the last character was ESC
}

type state uint8

const (
	ground state = iota
	escape
	control      // CSI
	ignoring     // a CSI that is malformed, up to its end
	command      // OSC
	otherStrings // DCS, SOS, PM, APC: read and dropped
)

// maxText is how much of an OSC is kept; what is longer is cut off.
const maxText = 4 << 10

const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
	st  = 0x9c // as a character of its own, U+009C
)

// Write takes what the program wrote. It never fails.
func (t *Terminal) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if n := t.takeCommon(p); n > 0 {
			p = p[n:]
			continue
		}
		r, size, ok := t.parser.decode(p)
		p = p[size:]
		if ok {
			t.step(r)
		}
	}
	return written, nil
}

// Whole reports whether no sequence and no character is open: all that was written has had its effect.
func (t *Terminal) Whole() bool { return t.parser.state == ground && len(t.parser.partial) == 0 }

// decode takes one character from p, or keeps the beginning of one for the next call. Each longest run of bytes
// that could have begun a character but did not becomes one U+FFFD, however the bytes are cut into calls.
func (p *parser) decode(b []byte) (r rune, size int, ok bool) {
	if len(p.partial) == 0 {
		if b[0] < utf8.RuneSelf {
			return rune(b[0]), 1, true
		}
		if !utf8.FullRune(b) {
			p.partial = append(p.partial, b...)
			return 0, len(b), false
		}
		r, size = utf8.DecodeRune(b)
		for r == utf8.RuneError && size < len(b) && !utf8.FullRune(b[:size]) && !utf8.FullRune(b[:size+1]) {
			size++
		}
		return r, size, true
	}
	p.partial = append(p.partial, b[0])
	if !utf8.FullRune(p.partial) {
		return 0, 1, false
	}
	r, n := utf8.DecodeRune(p.partial)
	whole := n == len(p.partial)
	p.partial = p.partial[:0]
	if !whole {
		return utf8.RuneError, 0, true // b[0] is not part of it, and is looked at again
	}
	return r, 1, true
}

// step takes one character.
func (t *Terminal) step(r rune) {
	p := &t.parser
	if p.state == command || p.state == otherStrings {
		t.stringStep(r)
		return
	}
	switch {
	case r == esc:
		p.begin(escape)
	case r == can || r == sub:
		p.begin(ground)
		t.last = 0
	case r < ' ':
		t.control(r)
	case r == del:
	case r >= 0x80 && r < 0xa0: // C1: short for ESC and a letter
		p.begin(escape)
		t.escapeStep(r - 0x40)
	case p.state == ground:
		t.print(r)
	case p.state == escape:
		t.escapeStep(r)
	default:
		t.controlStep(r)
	}
}

func (p *parser) begin(s state) {
	p.state = s
	p.params = p.params[:0]
	p.prefix, p.intermediate = 0, 0
	p.text = p.text[:0]
	p.escaped = false
}

// controlStep takes one character of a CSI.
func (t *Terminal) controlStep(r rune) {
	p := &t.parser
	switch {
	case r >= 0x80:
		p.state = ground // this is no sequence
	case r >= '@' && r <= '~':
		known := p.state == control
		p.state = ground
		if known {
			t.dispatch(byte(r))
		}
	case p.state == ignoring:
	case r >= '0' && r <= ';' && p.intermediate == 0:
		if !p.params.add(byte(r)) {
			p.state = ignoring
		}
	case r >= '<' && r <= '?' && len(p.params) == 0 && p.prefix == 0 && p.intermediate == 0:
		p.prefix = byte(r)
	case r >= ' ' && r <= '/' && p.intermediate == 0:
		p.intermediate = byte(r)
	default:
		p.state = ignoring
	}
}

// stringStep takes one character of an OSC or of another string, up to BEL or ST.
func (t *Terminal) stringStep(r rune) {
	p := &t.parser
	isCommand := p.state == command
	switch {
	case p.escaped && r != '\\':
		p.begin(escape) // an ESC that begins something else ends the string
		t.step(r)
	case p.escaped, r == st, r == bel && isCommand:
		text := p.text
		p.begin(ground)
		if isCommand {
			t.command(string(text))
		}
	case r == can || r == sub:
		p.begin(ground)
	case r == esc:
		p.escaped = true
	case isCommand && r >= ' ' && len(p.text) < maxText:
		p.text = utf8.AppendRune(p.text, r)
	}
}
