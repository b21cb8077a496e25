package mcptools

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What a terminal wrote comes out as text that can only be read.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		"text", "\x1b[31mred\x1b[0m", "\x1b]52;c;aGk=\x07", "\x1b]0;title\x1b\\", "\x1bP1$r\x1b\\", "\x1b", "\x1b[", "\x9b31m",
		"\xff\xfe", "\u202eevil", "\U000e0041", "\x1b\x1b[[31mm", "a\r\nb\tc\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := plain(s)
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q left %U in %q", s, r, got)
			}
		}
		if !utf8.ValidString(got) || strings.Contains(plainLine(s), "\n") || len(plainLine(s)) > maxLine+40 {
			t.Errorf("%q became %q and %q", s, got, plainLine(s))
		}
	})
}

// Whatever stands for arguments is decoded within the schema's bounds, or refused by name.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{"session_id":"a","message":"b","wait_seconds":5}`, `{"session_id":"a","message":"b","wait_seconds":1e9}`, `null`, `[]`,
		`{"session_id":null}`, `{"message":"\u0000"}`, `{"session_id":"a","message":"b","x":{}}`, ``,
	} {
		f.Add([]byte(seed))
	}
	o := objectOf(reflect.TypeFor[sendMessageInput]())
	f.Fuzz(func(t *testing.T, text []byte) {
		var in sendMessageInput
		err := o.decode(text, &in)
		var argument *argumentError
		if err != nil {
			if !errors.As(err, &argument) || argument.argument == "" {
				t.Errorf("%q: %v names no argument", text, err)
			}
			return
		}
		if in.SessionID == "" || in.Message == "" || in.WaitSeconds != nil && (*in.WaitSeconds < 0 || *in.WaitSeconds > 45) {
			t.Errorf("%q was taken as %+v", text, in)
		}
	})
}

func TestLastLines(t *testing.T) {
	long := strings.Repeat("x", maxOutput/2)
	text, cut := lastLines([]string{"first", long, "last"})
	if cut || !strings.HasPrefix(text, "first\n") {
		t.Errorf("%d bytes, cut %v", len(text), cut)
	}
	text, cut = lastLines([]string{long, long, "last"})
	if !cut || len(text) > maxOutput || !strings.HasSuffix(text, "\nlast") {
		t.Errorf("%d bytes, cut %v", len(text), cut)
	}
	text, cut = lastLines([]string{"a", long + long + long})
	if !cut || len(text) > maxOutput+100 {
		t.Errorf("%d bytes, cut %v", len(text), cut)
	}
	if got := clip("äöü", 3); !strings.HasPrefix(got, "ä …") {
		t.Errorf("clip cuts a character: %q", got)
	}
}
