package policy

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// text is a word, or several, of a command that has not run yet: what is written there, and gaps for what is known
// only when it runs. It is folded, so that neither case nor Unicode forms tell two spellings apart: on a Mac's disk
// GIT is git.
type text []rune

// The gaps.
const (
	anyText rune = -1 // any text: an expansion that is split into words
	anyWord rune = -2 // any text without a space
)

func fold(s string) text { return text(norm.NFC.String(strings.ToLower(s))) }

// known is the text as it stands there, if nothing of it is a gap.
func (t text) known() (string, bool) {
	for _, r := range t {
		if r < 0 {
			return "", false
		}
	}
	return string(t), true
}

// splits reports whether it may come to be several words.
func (t text) splits() bool {
	for _, r := range t {
		if r == anyText {
			return true
		}
	}
	return false
}

// join puts a space between words.
func join(words []text) text {
	var all text
	for i, word := range words {
		if i > 0 {
			all = append(all, ' ')
		}
		all = append(all, word...)
	}
	return all
}

// mayMatch reports whether a folded pattern, in which * is any text, fits some text that t may come to be. It takes
// len(pattern)×len(t) steps: all places that the pattern can be at are followed together.
func mayMatch(pattern text, t text) bool {
	at := make([]bool, len(pattern)+1)
	next := make([]bool, len(pattern)+1)
	at[0] = true
	pattern.passStars(at)
	for _, r := range t {
		clear(next)
		if r < 0 {
			pattern.fill(at, next, r)
		} else {
			pattern.step(at, next, r)
		}
		pattern.passStars(next)
		at, next = next, at
	}
	return at[len(pattern)]
}

// passStars: a star may be nothing.
func (t text) passStars(at []bool) {
	for i, r := range t {
		if at[i] && r == '*' {
			at[i+1] = true
		}
	}
}

func (t text) step(at, next []bool, r rune) {
	for i, wanted := range t {
		switch {
		case !at[i]:
		case wanted == '*':
			next[i] = true
		case wanted == r:
			next[i+1] = true
		}
	}
}

// fill: a gap may be whatever the pattern wants next, but for one without spaces.
func (t text) fill(at, next []bool, gap rune) {
	reached := false
	for i := range next {
		reached = reached || at[i]
		next[i] = reached
		if i < len(t) && t[i] == ' ' && gap == anyWord {
			reached = false
		}
	}
}
