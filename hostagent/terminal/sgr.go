package terminal

// selectGraphics is SGR: it changes the pen by a list of codes.
func (t *Terminal) selectGraphics(p params) {
	pen := t.cursor.pen
	for i := 0; i < p.count(); {
		i += pen.apply(p, i)
	}
	if pen == t.cursor.pen {
		return
	}
	t.cursor.pen = pen
	t.cursor.penID = t.styleID(pen)
}

// apply takes the code at i and says how many values it used up.
func (s *style) apply(p params, i int) int {
	code, used := p.number(i, 0), 1+p.subs(i)
	switch {
	case code == 0:
		*s = style{}
	case code == 4:
		s.underline = underline(p, i)
	case code == 21:
		s.underline = 2
	case code == 24:
		s.underline = 0
	case code == 22:
		s.attributes &^= bold | faint
	case code == 25:
		s.attributes &^= blink
	case code >= 30 && code <= 37:
		s.foreground = palette | colour(code-30)
	case code >= 40 && code <= 47:
		s.background = palette | colour(code-40)
	case code >= 90 && code <= 97:
		s.foreground = palette | colour(code-90+8)
	case code >= 100 && code <= 107:
		s.background = palette | colour(code-100+8)
	case code == 38:
		used = s.extended(&s.foreground, p, i)
	case code == 48:
		used = s.extended(&s.background, p, i)
	case code == 58:
		used = s.extended(&s.underlineColour, p, i)
	case code == 39:
		s.foreground = 0
	case code == 49:
		s.background = 0
	case code == 59:
		s.underlineColour = 0
	case code == 55:
		s.attributes &^= overlined
	case code == 6:
		s.attributes |= blink
	default:
		s.setAttribute(code)
	}
	return used
}

func (s *style) setAttribute(code int) {
	for bit, on := range attributeCodes {
		if code == on {
			s.attributes |= 1 << bit
		}
		if code == on+20 && on >= 3 && on <= 9 {
			s.attributes &^= 1 << bit
		}
	}
}

func underline(p params, i int) uint8 {
	if p.subs(i) == 0 {
		return 1
	}
	return uint8(clamp(p.number(i+1, 1), 0, 5))
}

// extended reads 38;5;n, 38;2;r;g;b and the forms with colons, in which direct colours may carry a colour space
// (ITU-T T.416): 38:2:space:r:g:b. It says how many values it used up.
func (s *style) extended(c *colour, p params, i int) int {
	subs := p.subs(i)
	used, at := 1+subs, i+2
	kind := p.number(i+1, 0)
	switch {
	case subs == 0 && kind == 2:
		used = 5
	case subs == 0 && kind == 5:
		used = 3
	case subs == 0:
		used = 2
	case subs >= 5 && kind == 2:
		at++
	}
	if i+used > p.count() {
		return used
	}
	switch kind {
	case 5:
		*c = palette | colour(clamp(p.number(at, 0), 0, 255))
	case 2:
		*c = direct
		for k := range 3 {
			*c |= colour(clamp(p.number(at+k, 0), 0, 255)) << (16 - 8*k)
		}
	}
	return used
}
