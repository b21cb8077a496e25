package agentkind

import (
	"strings"
	"testing"
)

func TestClaudeMessages(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":                {"hello", "hello"},
		"tabs and ends":        {"a\tb\r\nc\rd  \n\n", "a    b\nc\nd"},
		"decomposed":           {"cafe\u0301", "café"},
		"zero width":           {"a\u200bb\ufeff\u2060c\u00add", "abcd"},
		"marks of direction":   {"a\u200eb\u061c", "ab"},
		"emoji sequence":       {"👨‍👩‍👧 ❤️", "👨‍👩‍👧 ❤️"},
		"separators":           {"a\u2028b\u2029c", "a\nb\nc"},
		"shell command":        {"!rm -rf /", " !rm -rf /"},
		"hidden shell":         {"\n\u200b \u00a0!ls", " !ls"},
		"command":              {"/clear", ""},
		"hidden command":       {" \n\u200b/clear", ""},
		"path in a sentence":   {"look at /etc", "look at /etc"},
		"exit":                 {" Exit ", ""},
		"exit in a sentence":   {"exit code?", "exit code?"},
		"empty":                {" \n\t ", ""},
		"escape":               {"a\x1b[201~\rb", ""},
		"bell":                 {"a\a", ""},
		"zero byte":            {"a\x00b", ""},
		"C1":                   {"a\u009bb", ""},
		"bidi override":        {"a\u202eb", ""},
		"bidi isolate":         {"a\u2067b", ""},
		"not UTF-8":            {"a\xffb", ""},
		"too long":             {strings.Repeat("a", maxClaudeMessage+1), ""},
		"looks like an option": {"--help", "--help"},
		"key name":             {"C-c Enter", "C-c Enter"},
	}
	for name, test := range tests {
		got, err := Claude().CleanMessage(test.text)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

func TestCleanClaudeMessageActs(t *testing.T) {
	for name, text := range map[string]string{
		"command":                        "/clear",
		"command behind spaces":          " \n\u3000/clear",
		"command behind a joiner":        "\u200d/clear",
		"command behind a selector":      "\ufe0f /clear",
		"command behind a tag":           "\U000E0061/clear",
		"command behind a zero width":    "\u200b/clear",
		"exit":                           "Exit",
		"exit with a joiner in it":       "e\u200dxit",
		"exit behind a selector":         "\ufe0fexit",
		"nothing that is seen":           "\u200d\ufe0f",
		"nothing but spaces and joiners": " \u200c ",
	} {
		if clean, err := cleanClaudeMessage(text); err == nil {
			t.Errorf("%s: %q is typed as %q, want it refused", name, text, clean)
		}
	}
}

func TestCleanClaudeMessageSays(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"plain":                    {"fix it", "fix it"},
		"slash later":              {"see a/b", "see a/b"},
		"exit in a sentence":       {"exit code 1?", "exit code 1?"},
		"shell":                    {"!rm -rf /", " !rm -rf /"},
		"shell behind spaces":      {"  !ls", " !ls"},
		"shell behind a joiner":    {"\u200d!ls", " !ls"},
		"shell behind a selector":  {" \ufe0f !ls", " !ls"},
		"emoji keeps its joiners":  {"👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"},
		"a joiner before a letter": {"\u200dhello", "\u200dhello"},
	} {
		if clean, err := cleanClaudeMessage(test.text); err != nil || clean != test.want {
			t.Errorf("%s: %q is typed as %q, %v; want %q", name, test.text, clean, err, test.want)
		}
	}
}
