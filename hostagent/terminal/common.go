package terminal

// takeCommon takes from the start of p what most output consists of, without looking at each character for all
// that it could be: runs of ASCII, controls, CSIs that are there whole, or their beginning and their numbers. It says
// how many bytes it took.
func (t *Terminal) takeCommon(p []byte) int {
	s := &t.parser
	switch {
	case len(s.partial) > 0:
		return 0
	case s.state == control && s.intermediate == 0:
		return s.takeNumbers(p)
	case s.state != ground:
		return 0
	case len(p) > 1 && p[0] == esc && p[1] == '[':
		return t.takeControl(p)
	case p[0] == '\r' || p[0] == '\n':
		t.control(rune(p[0]))
		return 1
	}
	n := printable(p)
	if n > 0 {
		t.printASCII(p[:n])
	}
	return n
}

// takeNumbers takes the numbers of a CSI.
func (p *parser) takeNumbers(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= ';' && p.params.add(b[n]) {
		n++
	}
	return n
}

// takeControl takes the CSI at the start of p: all of it, if it is there whole and holds only what nearly all do, or
// else its introducer.
func (t *Terminal) takeControl(p []byte) int {
	s := &t.parser
	s.begin(control)
	at := 2
	if at < len(p) && p[at] >= '<' && p[at] <= '?' {
		s.prefix = p[at]
		at++
	}
	n, final := s.params.addSimple(p[at:])
	if final == 0 {
		s.begin(control)
		return 2
	}
	s.state = ground
	t.dispatch(final)
	return at + n
}

// printable is how many bytes from the start are ASCII characters that print.
func printable(p []byte) int {
	for i, b := range p {
		if b < ' ' || b >= del {
			return i
		}
	}
	return len(p)
}
