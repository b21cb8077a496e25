package session

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"switchboard/hostagent/protocol"
)

func TestOutgoing(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"
	tests := map[string]struct{ text, want string }{
		"plain":           {"a\tb\nc", "a\tb\nc"},
		"escape sequence": {"\x1b[31mred\x1b[0m\x07", "red"},
		"bidi override":   {"rm \u202Etxt", "rm \uFFFDtxt"},
		"anthropic key":   {"key=sk-ant-api03-abcdefgh12345 done", "key=[secret removed] done"},
		"github token":    {"ghp_0123456789012345678901234567890123456", "[secret removed]"},
		"aws key id":      {"AKIAIOSFODNN7EXAMPLE", "[secret removed]"},
		"private key":     {"a\n" + key + "\nb", "a\n[secret removed]\nb"},
		"cut private key": {"-----BEGIN PRIVATE KEY-----\nAAAA", "[secret removed]"},
		"no secret":       {"task-anthropic ghp_short", "task-anthropic ghp_short"},
	}
	for name, test := range tests {
		if got := outgoing(test.text); got != test.want {
			t.Errorf("%s: outgoing = %q, want %q", name, got, test.want)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for most := range 8 {
		got, cut := clip("aé漢", most)
		if !utf8.ValidString(got) || len(got) > most || cut != (most < len("aé漢")) {
			t.Errorf("clip to %d = %q, %v", most, got, cut)
		}
	}
	long := protocol.Prompt{Detail: strings.Repeat("x", maxPromptText+5)}
	if got := fitPrompt(long).Detail; !strings.HasSuffix(got, "[… 5 more bytes: read them at the terminal before you decide]") {
		t.Errorf("a long prompt ends in %q", got[len(got)-80:])
	}
}

func FuzzOutgoingInput(f *testing.F) {
	f.Add([]byte(`{"command":"echo ghp_0123456789012345678901234567890123456"}`), 1000)
	f.Add([]byte(`{"a":[1,null,{"b":"\u202e"}]}`), 10)
	f.Add([]byte(`"`+strings.Repeat("é", 4000)+`"`), 500)
	f.Fuzz(func(t *testing.T, input []byte, most int) {
		most = 32 + most&0xffff
		got := outgoingInput(input, most)
		if len(got) > 0 && (!json.Valid(got) || len(got) > most) {
			t.Errorf("outgoingInput(%q, %d) = %q", input, most, got)
		}
	})
}
