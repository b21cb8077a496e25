package fleet

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestCleanJSON(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"ordinary", `{"a":[1,2.5,true,null,"x"]}`, `{"a":[1,2.5,true,null,"x"]}`},
		{"NUL", `{"a\u0000":"b\u0000c"}`, `{"a�":"b�c"}`},
		{"a backslash before u0000", `"\\u0000"`, `"\\u0000"`},
		{"half a surrogate pair", `"\ud800"`, `"�"`},
		{"a large whole number", `12345678901234567890`, `12345678901234567890`},
		{"a number without room", `1e999999`, `"1e999999"`},
		{"an exponent without end", `1e99999999999999999999`, `"1e99999999999999999999"`},
		{"nothing", ``, `null`},
		{"no JSON", `{`, `null`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(cleanJSON([]byte(test.text))); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// FuzzCleanJSON checks that what comes out is JSON that Postgres keeps, and does not change again.
func FuzzCleanJSON(f *testing.F) {
	for _, text := range []string{`{"a":"\u0000"}`, `[1e5,-0.1]`, "\"\xff\"", `{"":{"":[]}}`, `"\\u0000"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cleaned := cleanJSON(text)
		if !json.Valid(cleaned) || !utf8.Valid(cleaned) {
			t.Fatalf("%q", cleaned)
		}
		var value any
		decoder := json.NewDecoder(bytes.NewReader(cleaned))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if hasNUL(value) {
			t.Fatalf("NUL in %q", cleaned)
		}
		if again := cleanJSON(cleaned); !bytes.Equal(again, cleaned) {
			t.Fatalf("%q, and then %q", cleaned, again)
		}
	})
}

func hasNUL(value any) bool {
	switch v := value.(type) {
	case string:
		return bytes.ContainsRune([]byte(v), 0)
	case []any:
		for _, of := range v {
			if hasNUL(of) {
				return true
			}
		}
	case map[string]any:
		for key, of := range v {
			if hasNUL(key) || hasNUL(of) {
				return true
			}
		}
	}
	return false
}

func FuzzCursors(f *testing.F) {
	for _, text := range []string{"", "0", "12.abcdef", "a", "aabcdef123456", "eyJ9"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCursor(text); err == nil {
			if again, err := parseCursor(c.String()); err != nil || again != c {
				t.Fatalf("%q: %+v, then %+v (%v)", text, c, again, err)
			}
		}
		if place, err := parsePlace(text); err == nil {
			if again, err := parsePlace(place.String()); err != nil || again.ID != place.ID {
				t.Fatalf("%q: %+v, then %+v (%v)", text, place, again, err)
			}
		}
		_, _ = parseLooks(text)
	})
}
