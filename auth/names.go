package auth

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// accountName admits a plain name or an e-mail address, in ASCII so that no two names look alike.
var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{1,63}$`)

// parseName reads the name with which a person logs in; case does not matter.
func parseName(s string) (string, error) {
	name := strings.ToLower(strings.TrimSpace(s))
	if !accountName.MatchString(name) {
		return "", &FieldError{"name", "must be 2 to 64 letters, digits or . _ @ + - and begin with a letter or digit"}
	}
	return name, nil
}

const maxDisplayName = 80 // characters

func parseDisplayName(s, name string) (string, error) {
	display := strings.TrimSpace(s)
	if display == "" {
		return name, nil
	}
	if !plainText(display, maxDisplayName) {
		return "", &FieldError{"display name", "must be at most 80 characters, without control characters"}
	}
	return display, nil
}

// plainText reports whether s is one line of valid UTF-8 of at most max characters that shows what it is: no
// control characters, and none of those that are invisible or turn the direction of writing.
func plainText(s string, max int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > max {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r == unicode.ReplacementChar
	})
}
