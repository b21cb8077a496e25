package web

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "ChatGPT", "ChatGPT"},
		{"several lines", "a\n\tb  c\r", "a b c"},
		{"turned round", "safe\u202egnp.exe\u2066", "safegnp.exe"},
		{"invisible", "Cl\u200bau\u00adde\ufeff", "Claude"},
		{"escape sequence", "\x1b[31mred\x07", "[31mred"},
		{"not UTF-8", "a\xffb", "ab"},
		{"endless", strings.Repeat("x", 300), strings.Repeat("x", maxLine) + "…"},
		{"other scripts", "Zoë 東京", "Zoë 東京"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := line(c.text); got != c.want {
				t.Errorf("line(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("\x1b]0;title\x07\u202e\r\n\ttext")
	f.Fuzz(func(t *testing.T, text string) {
		if got := line(text); strings.ContainsFunc(got, unicode.IsControl) || utf8.RuneCountInString(got) > maxLine+1 {
			t.Errorf("line(%q) = %q", text, got)
		}
		got := block(text)
		if strings.ContainsFunc(got, func(r rune) bool { return reorders(r) || unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Errorf("block(%q) = %q", text, got)
		}
	})
}
