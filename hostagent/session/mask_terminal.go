package session

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"switchboard/hostagent/terminal"
)

// secretBeginnings are what may become a secret when more is written.
var secretBeginnings = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(
		`(?:\bsk-|\bgh[pousr]_|\bgithub_pat_|\bglpat-|\bAKIA|\bASIA|\bxox[abprs]-|\bAIza|\bsb_[a-z]+_)[A-Za-z0-9_.-]*$`)
})

// maskTerminal takes secrets out of output that stands in several pieces, between what was written before and
// after it. A star stands for each of their characters, so that the screen keeps its form.
//
// Secrets are found across pieces and escape sequences, and where a line is wrapped at its end. It is a best effort
// only: a program that draws a secret in parts and in another order, with something else in between, is not seen
// through; neither is a secret without a known shape.
func maskTerminal(before string, pieces []string, after string, growing bool) []string {
	whole := before + strings.Join(pieces, "") + after
	masked := make([]bool, len(whole))
	for _, joined := range []bool{false, true} {
		text, at := terminal.Visible(whole, joined)
		if !mayHaveSecrets(string(text)) {
			continue
		}
		found := secretShapes().FindAllIndex(text, -1)
		if growing {
			found = append(found, secretBeginnings().FindAllIndex(text, -1)...)
		}
		for _, span := range found {
			for _, i := range at[span[0]:span[1]] {
				if i >= 0 {
					masked[i] = true // its first byte
				}
			}
		}
	}
	out := make([]string, len(pieces))
	start := len(before)
	for i, piece := range pieces {
		out[i] = starred(piece, masked[start:start+len(piece)])
		start += len(piece)
	}
	return out
}

// outgoingLines are a screen's lines as they may leave the host: a secret may be wrapped at the edge, and a key has
// several lines.
func outgoingLines(lines []string) []string {
	pieces := make([]string, len(lines))
	for i, line := range lines {
		pieces[i] = plain(line) + "\n"
	}
	masked := maskTerminal("", pieces, "", true)
	for i, line := range masked {
		masked[i] = strings.TrimSuffix(line, "\n")
	}
	return masked
}

func starred(piece string, masked []bool) string {
	if !slices.Contains(masked, true) {
		return piece
	}
	var out strings.Builder
	for i := 0; i < len(piece); {
		_, size := utf8.DecodeRuneInString(piece[i:])
		if masked[i] {
			out.WriteByte('*')
		} else {
			out.WriteString(piece[i : i+size])
		}
		i += size
	}
	return out.String()
}
