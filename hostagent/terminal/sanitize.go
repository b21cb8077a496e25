package terminal

import (
	"strings"
	"unicode"
)

// Sanitize removes escape sequences and control characters, so that text can leave the host: line feeds and tabs
// stay, direction overrides and other unseen characters go, and what is not valid UTF-8 becomes U+FFFD.
func Sanitize(s string) string {
	if clean(s) {
		return s
	}
	var out strings.Builder
	var p stripper
	for _, r := range s { // invalid bytes come out as U+FFFD
		if p.text(r) && !unseen(r) {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func clean(s string) bool {
	for _, r := range s {
		if r == unicode.ReplacementChar || unseen(r) || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return true
}

// stripper tells text from escape sequences. A line feed ends whatever is open, so that a stray beginning cannot
// hide more than its line.
type stripper struct {
	state   state
	escaped bool
}

// text reports whether r is to be kept.
func (p *stripper) text(r rune) bool {
	switch p.state {
	case command, otherStrings:
		p.inString(r)
		return r == '\n'
	case escape:
		p.afterEscape(r)
		return false
	case control:
		if r >= '@' && r <= '~' || r == can || r == sub || r == '\n' {
			p.state = ground
		}
		if r == esc {
			p.state = escape
		}
		return r == '\n'
	}
	switch {
	case r == esc:
		p.state = escape
	case r >= 0x80 && r < 0xa0:
		p.afterEscape(r - 0x40)
	}
	return r == '\n' || r == '\t' || !unicode.IsControl(r)
}

func (p *stripper) afterEscape(r rune) {
	switch {
	case r >= ' ' && r <= '/', r == esc:
		p.state = escape
	case r == '[':
		p.state = control
	case r == ']':
		p.state, p.escaped = command, false
	case r == 'P' || r == 'X' || r == '^' || r == '_':
		p.state, p.escaped = otherStrings, false
	default:
		p.state = ground
	}
}

func (p *stripper) inString(r rune) {
	switch {
	case p.escaped && r != '\\':
		p.state = escape
		p.afterEscape(r)
	case p.escaped, r == st, r == can, r == sub, r == '\n', r == bel && p.state == command:
		p.state = ground
	}
	p.escaped = r == esc && (p.state == command || p.state == otherStrings)
}
