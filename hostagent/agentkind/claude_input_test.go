package agentkind

import "testing"

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
