package fleet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"switchboard/hostagent/protocol"
)

// checkLine refuses a field that is too long or that is not one line of text.
func checkLine(field, value string, most int) error {
	if len(value) > most {
		return refuse(ErrInvalid, "%s: %d bytes; at most %d are allowed", field, len(value), most)
	}
	if !utf8.ValidString(value) {
		return refuse(ErrInvalid, "%s: not valid UTF-8", field)
	}
	if i := strings.IndexFunc(value, unicode.IsControl); i >= 0 {
		return refuse(ErrInvalid, "%s: control character %U at byte %d", field, []rune(value[i:])[0], i)
	}
	return nil
}

const maxKey = 200 // bytes

// checkKey refuses an idempotency key that could not be kept.
func checkKey(key string) error { return checkLine("idempotency_key", key, maxKey) }

// checkText refuses what cannot be typed into an agent's terminal.
func checkText(text string) error {
	if len(text) > protocol.MaxMessage {
		return refuse(ErrInvalid, "message: %d bytes; at most %d are allowed", len(text), protocol.MaxMessage)
	}
	if !utf8.ValidString(text) {
		return refuse(ErrInvalid, "message: not valid UTF-8")
	}
	if strings.TrimSpace(text) == "" {
		return refuse(ErrInvalid, "message: empty")
	}
	for i, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && !strings.HasPrefix(text[i:], "\r\n") {
			return refuse(ErrInvalid, "message: control character %U at byte %d", r, i)
		}
	}
	return nil
}
