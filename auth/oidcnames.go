package auth

import (
	"strings"
)

// maxBaseName leaves room for what makes an account's name unique.
const maxBaseName = 50 // bytes, all ASCII

// accountName makes a name that an account may have out of what the provider calls the person.
func (c claims) accountName() string {
	for _, wish := range []string{c.username, c.email} {
		name := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._@+-", r) {
				return r
			}
			return -1
		}, strings.ToLower(wish))
		name = strings.TrimLeft(name, "._@+-")
		if len(name) > maxBaseName {
			name = name[:maxBaseName]
		}
		if len(name) >= 2 {
			return name
		}
	}
	return "user"
}

// displayName is the person's full name, if the provider says one that can be shown.
func (c claims) displayName(otherwise string) string {
	if name := printable(c.name); name != "" {
		return name
	}
	return otherwise
}

// shownName is what the provider calls the person: an address says most.
func (c claims) shownName() string {
	for _, name := range []string{c.email, c.username, c.name} {
		if name := printable(name); name != "" {
			return name
		}
	}
	return printable(c.subject)
}
