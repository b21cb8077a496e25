package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is how many characters of a foreign name or title are shown.
const maxLine = 200

// line makes foreign text fit to stand in a sentence: one line, nothing invisible, nothing that turns the reading
// direction round, and not endless.
func line(s string) string {
	var b strings.Builder
	count := 0
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			continue
		}
		if count == maxLine {
			return b.String() + "…"
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}

// block makes foreign text fit to be shown as it is: lines and tabs stay, other control characters and the marks
// that reorder text go.
func block(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || reorders(r) {
			return -1
		}
		return r
	}, s)
}

// reorders reports whether r is one of Unicode's bidirectional controls, which can make a command read as another
// ("Trojan Source", CVE-2021-42574).
func reorders(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}
