package terminal

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":               {"a\tb\né世🎉", "a\tb\né世🎉"},
		"colours":             {"\x1b[31mred\x1b[0m", "red"},
		"title":               {"a\x1b]0;✳ title\x07b", "ab"},
		"title with ST":       {"a\x1b]0;title\x1b\\b", "ab"},
		"link":                {"\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "text"},
		"C1":                  {"a\u009b31mb\u0085c", "abc"},
		"controls":            {"a\x00\x07\b\r\x7fb", "ab"},
		"invalid":             {"a\xffb", "a\ufffdb"},
		"direction":           {"a\u202eb\u2066c\ufeff", "abc"},
		"tags":                {"a\U000e0049\U000e0047b", "ab"},
		"joined emoji stay":   {"👩\u200d👧", "👩\u200d👧"},
		"unended sequence":    {"a\x1b[31", "a"},
		"unended string":      {"a\x1b]0;bc\nd", "a\nd"},
		"string in a string":  {"a\x1bPx\x1b]0;y\x07b", "ab"},
		"charset":             {"\x1b(0q", "q"},
		"escape of an escape": {"\x1b\x1b[1mx", "x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Sanitize(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("a\x1b[31m\x1b]0;✳\x9c\x1b\\b\u009b\u202e\xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := Sanitize(text)
		if !utf8.ValidString(got) {
			t.Errorf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && unicode.IsControl(r) || unseen(r) {
				t.Errorf("%q has %q", got, r)
			}
		}
		if again := Sanitize(got); again != got {
			t.Errorf("%q is not clean: %q", got, again)
		}
	})
}
