package fleet

import (
	"crypto/rand"
	"path"
	"strings"
	"unicode"
)

const maxName = 40 // bytes; a person has to say it

// sessionName is the name asked for, or that of the directory, in characters that can be said and typed anywhere.
func sessionName(n NewSession) string {
	for _, name := range []string{n.Name, path.Base(n.WorkingDir), "session"} {
		name = strings.Map(nameRune, name)
		name = name[:min(len(name), maxName)]
		if name = strings.Trim(name, "-._"); name != "" {
			return name
		}
	}
	return "session"
}

func nameRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
		return r
	case unicode.IsSpace(r), r == '/':
		return '-'
	}
	return -1
}

// handleSuffix is four characters that are not mistaken for one another when they are read out.
func handleSuffix() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails
	for i, b := range suffix {
		suffix[i] = letters[int(b)%len(letters)]
	}
	return string(suffix[:])
}
