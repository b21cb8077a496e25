package mcptools

import (
	"strings"
	"testing"
)

func TestFewerBlanks(t *testing.T) {
	for _, test := range []struct{ name, lines, want string }{
		{"none", "a|b", "a|b"},
		{"at either end", "| |a|\t||", "a"},
		{"two in a row", "a|||b", "a|||b"},
		{"many in a row", "a|||| ||b|c||||d", "a|||b|c|||d"},
		{"nothing else", " ||", ""},
		{"an indent stays", "|  a", "  a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(fewerBlanks(strings.Split(test.lines, "|")), "|"); got != test.want {
				t.Errorf("lines %q, want %q", got, test.want)
			}
		})
	}
}
