package terminal

// params are the numbers of a CSI. A number may have further ones behind colons.
type params []param

type param struct {
	value int  // -1: left out
	sub   bool // it stood behind a colon
}

const (
	maxParams = 32
	maxNumber = 65535
)

// add takes a digit, a semicolon or a colon. It reports false if there are too many numbers.
func (p *params) add(b byte) bool {
	if len(*p) == 0 {
		*p = append(*p, param{value: -1})
	}
	if b == ';' || b == ':' {
		if len(*p) == maxParams {
			return false
		}
		*p = append(*p, param{value: -1, sub: b == ':'})
		return true
	}
	last := &(*p)[len(*p)-1]
	last.value = min(max(last.value, 0)*10+int(b-'0'), maxNumber)
	return true
}

// addSimple takes numbers with semicolons between them up to the sequence's last character, and says how many bytes
// these were. The character is 0 if there is anything else, or the end is not there; some numbers may be taken then.
func (p *params) addSimple(b []byte) (n int, final byte) {
	all, value := (*p)[:0], -1
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			value = min(max(value, 0)*10+int(c-'0'), maxNumber)
		case c == ';' && len(all) < maxParams-1:
			all, value = append(all, param{value: value}), -1
		case c >= '@' && c <= '~':
			if i > 0 {
				all = append(all, param{value: value})
			}
			*p = all
			return i + 1, c
		default:
			return 0, 0
		}
	}
	return 0, 0
}

// count is how many numbers there are; an empty list counts as one left out.
func (p params) count() int { return max(1, len(p)) }

// number is the i-th, or otherwise if it was left out.
func (p params) number(i, otherwise int) int {
	if i >= len(p) || p[i].value < 0 {
		return otherwise
	}
	return p[i].value
}

// repeat is the first number as a count: 0 means 1.
func (p params) repeat() int { return max(1, p.number(0, 1)) }

// subs is how many numbers behind colons belong to the i-th.
func (p params) subs(i int) int {
	n := 0
	for i+1+n < len(p) && p[i+1+n].sub {
		n++
	}
	return n
}
