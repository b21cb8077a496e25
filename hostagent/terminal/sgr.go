package terminal

// selectGraphics is SGR: it changes the pen by a list of codes.
func (t *Terminal) selectGraphics(p params) {
	if p.count() == 1 && p.number(0, 0) == 0 { // as at least every other time
		t.cursor.pen, t.cursor.penID = style{}, 0
		return
	}
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
	switch code := p.number(i, 0); code {
	case 0:
		*s = style{}
	case 4:
		s.underline = underline(p, i)
	case 21:
		s.underline = 2
	case 24:
		s.underline = 0
	case 38:
		return s.extended(&s.foreground, p, i)
	case 48:
		return s.extended(&s.background, p, i)
	case 58:
		return s.extended(&s.underlineColour, p, i)
	case 39:
		s.foreground = 0
	case 49:
		s.background = 0
	case 59:
		s.underlineColour = 0
	default:
		if !s.setPalette(code) {
			s.setAttribute(code)
		}
	}
	return 1 + p.subs(i)
}

// setPalette acts on the codes of the sixteen colours.
func (s *style) setPalette(code int) bool {
	switch {
	case code >= 30 && code <= 37:
		s.foreground = palette | colour(code-30)
	case code >= 40 && code <= 47:
		s.background = palette | colour(code-40)
	case code >= 90 && code <= 97:
		s.foreground = palette | colour(code-90+8)
	case code >= 100 && code <= 107:
		s.background = palette | colour(code-100+8)
	default:
		return false
	}
	return true
}

// setAttribute acts on the codes that set or take away attributes.
func (s *style) setAttribute(code int) {
	switch code {
	case 1:
		s.attributes |= bold
	case 2:
		s.attributes |= faint
	case 3:
		s.attributes |= italic
	case 5, 6:
		s.attributes |= blink
	case 7:
		s.attributes |= inverse
	case 8:
		s.attributes |= hidden
	case 9:
		s.attributes |= struck
	case 53:
		s.attributes |= overlined
	case 22:
		s.attributes &^= bold | faint
	case 23:
		s.attributes &^= italic
	case 25:
		s.attributes &^= blink
	case 27:
		s.attributes &^= inverse
	case 28:
		s.attributes &^= hidden
	case 29:
		s.attributes &^= struck
	case 55:
		s.attributes &^= overlined
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
