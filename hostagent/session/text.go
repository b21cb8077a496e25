package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"switchboard/hostagent/terminal"
)

// outgoing makes text fit to leave the host: no control characters, and no secrets of a known shape.
func outgoing(text string) string { return maskSecrets(plain(text)) }

// plain is text without control characters. Those that reorder the text around them are made visible, because they can
// make a command look like another.
func plain(text string) string { return terminal.Sanitize(strings.Map(showReordering, text)) }

// maxOutgoingLine is how long a title, a label or a name may be, in bytes.
const maxOutgoingLine = 4 << 10

// outgoingLine is outgoing for what has to be one line, and not a long one.
func outgoingLine(text string) string {
	return cut(strings.Join(strings.Fields(outgoing(text)), " "), maxOutgoingLine)
}

func showReordering(r rune) rune {
	if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
		return utf8.RuneError
	}
	return r
}

// clip cuts at the start of a rune.
func clip(text string, most int) (string, bool) {
	if len(text) <= most {
		return text, false
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most], true
}

// cut clips and says how much it leaves out.
func cut(text string, most int) string {
	kept, clipped := clip(text, most)
	if !clipped {
		return text
	}
	return fmt.Sprintf("%s [… %d more bytes]", kept, len(text)-len(kept))
}

// outgoingInput is a tool's input with every string in it made fit to leave the host and cut, so that the whole
// stays below most bytes.
func outgoingInput(input json.RawMessage, most int) json.RawMessage {
	var value any
	if len(input) == 0 || json.Unmarshal(input, &value) != nil {
		return nil
	}
	for each := most / 2; each >= 64; each /= 4 {
		text, err := json.Marshal(eachString(value, func(s string) string {
			s, cut := clip(outgoing(s), each)
			if cut {
				s += "…"
			}
			return s
		}))
		if err == nil && len(text) <= most {
			return text
		}
	}
	return json.RawMessage(`{"truncated":true}`)
}

// eachString applies change to all strings and names in a decoded JSON value.
func eachString(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		return change(v)
	case []any:
		for i := range v {
			v[i] = eachString(v[i], change)
		}
		return v
	case map[string]any:
		changed := make(map[string]any, len(v))
		for name, field := range v {
			changed[change(name)] = eachString(field, change)
		}
		return changed
	}
	return value
}
