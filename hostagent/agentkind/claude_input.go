package agentkind

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxClaudeMessage is protocol.MaxMessage, which this package does not import. The CLI takes about a minute
// to take in so much (measured, of 1,100 lines), since it draws its box anew after each paste.
const maxClaudeMessage = 100_000 // bytes

// cleanClaudeMessage makes the text that the CLI's input box would make of it, so that the receipt can be
// compared exactly. What would act instead of being said is refused: a leading / runs a command, also after
// spaces and characters that nobody sees, and exit alone ends the CLI. A leading ! would run a shell command
// without asking; a space in front makes it text.
func cleanClaudeMessage(text string) (string, error) {
	if len(text) > maxClaudeMessage {
		return "", fmt.Errorf("the message has %d bytes; at most %d can be typed", len(text), maxClaudeMessage)
	}
	if !utf8.ValidString(text) {
		return "", errors.New("the message is not valid UTF-8")
	}
	text = lineEnds.Replace(text)
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || isBidiControl(r)) {
			return "", fmt.Errorf("the message has the control character %U, which cannot be typed", r)
		}
	}
	text = norm.NFC.String(strings.Map(dropInvisible, text))
	text = strings.TrimRightFunc(strings.TrimLeft(text, "\n"), unicode.IsSpace)
	switch start := visible(text); {
	case start == "":
		return "", errors.New("the message is empty")
	case strings.HasPrefix(start, "/"):
		return "", errors.New("the message begins with /, which the agent would run as a command; put a word in front of it")
	case slices.Contains(claudeExits, strings.ToLower(start)):
		return "", fmt.Errorf("the message %q would end the agent; terminate the session instead, or say it in more words", start)
	case strings.HasPrefix(start, "!"):
		return " " + text[strings.Index(text, "!"):], nil
	}
	return text, nil
}

// changedClaudeMessage is for whoever sent the text: what he reads in the transcript is not what he wrote.
func changedClaudeMessage(text, clean string) []string {
	spaced := lineEnds.Replace(text)
	var changed []string
	for _, change := range []struct {
		words string
		made  bool
	}{
		{"tabs became four spaces each", strings.Contains(text, "\t")},
		{"other line ends became line feeds", strings.ReplaceAll(text, "\t", "    ") != spaced},
		{"invisible characters were removed", strings.Map(dropInvisible, text) != text},
		{"characters were composed (Unicode NFC)", !norm.NFC.IsNormalString(text)},
		{"empty lines at the beginning were removed", strings.HasPrefix(spaced, "\n")},
		{"white space at the end was removed", strings.TrimRightFunc(spaced, unicode.IsSpace) != spaced},
		{"one space was put before the !, so that it runs no shell command", strings.HasPrefix(clean, " !") && !strings.HasPrefix(text, " !")},
	} {
		if change.made {
			changed = append(changed, change.words)
		}
	}
	return changed
}

// lineEnds makes every kind of line end a line feed, and of a tab the four spaces that a pasted one becomes.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\t", "    ")

// claudeExits are words that, alone in the input box, end the CLI.
var claudeExits = []string{"exit", "quit", ":q", ":q!", ":wq", ":wq!"}

// isBidiControl: with one of these in its box the CLI does not submit, and a reader may be shown another order.
func isBidiControl(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// dropInvisible drops what the CLI drops or stumbles over, and nobody sees. Joiners and variation selectors stay,
// because emoji and some scripts are made with them.
func dropInvisible(r rune) rune {
	if isJoiner(r) || !isInvisible(r) {
		return r
	}
	return -1
}

func isJoiner(r rune) bool {
	return r == 0x200C || r == 0x200D || r >= 0xFE00 && r <= 0xFE0F || unicode.Is(tags, r)
}

// tags make the flags of regions.
var tags = &unicode.RangeTable{R32: []unicode.Range32{{Lo: 0xE0020, Hi: 0xE007F, Stride: 1}}}

// isInvisible covers Unicode's Default_Ignorable_Code_Point, and what the CLI drops beside.
func isInvisible(r rune) bool {
	switch {
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r),
		unicode.Is(unicode.Variation_Selector, r):
		return true
	}
	return false
}

// sameClaudeMessage compares a clean message with the CLI's receipt. The CLI drops joiners and selectors where it
// does not like them, so that what nobody sees is left out on both sides.
func sameClaudeMessage(clean, receipt string) bool {
	return visible(clean) == visible(receipt)
}

func visible(text string) string {
	text = strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(norm.NFC.String(text))
}

const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// A paste that is longer, in UTF-16 units, or has more line feeds the CLI folds away, and warns the model of it: above
// 800 and 2. Counted in bytes, of which there are at least as many, a paste also fits into what a terminal passes on at
// once: of one that is torn a slow machine's CLI has taken a piece of the end for text.
const (
	maxPaste      = 700
	maxPasteFeeds = 2
)

// typeClaudeMessage is bracketed pastes of as many lines as the CLI takes in one, since it draws its box anew after each;
// a long line is several. A backslash at the end would turn the submit into a line feed, so that a space follows it,
// which the CLI trims.
func typeClaudeMessage(clean string) [][]byte {
	if strings.HasSuffix(clean, `\`) {
		clean += " "
	}
	var pastes [][]byte
	paste, feeds := "", 0
	flush := func() {
		pastes = append(pastes, []byte(pasteBegin+paste+pasteEnd))
		paste, feeds = "", 0
	}
	for i, line := range strings.Split(clean, "\n") {
		parts := splitPaste(line)
		if i > 0 {
			parts[0] = "\n" + parts[0]
		}
		if i > 0 && (feeds == maxPasteFeeds || len(paste)+len(parts[0]) > maxPaste) {
			flush()
		}
		for j, part := range parts {
			if j > 0 {
				flush()
			}
			paste += part
		}
		if i > 0 && len(parts) == 1 {
			feeds++
		}
	}
	flush()
	return pastes
}

// splitPaste cuts a line where a new character begins, never before a mark or a joiner that belongs to the one
// before it. It returns at least one part.
func splitPaste(line string) []string {
	var parts []string
	start, previous := 0, rune(0)
	for at, r := range line {
		joined := unicode.Is(unicode.M, r) || isJoiner(r) || previous == 0x200D
		size := at + utf8.RuneLen(r) - start
		if size > maxPaste && (!joined || size > maxPaste+50) {
			parts = append(parts, line[start:at])
			start = at
		}
		previous = r
	}
	return append(parts, line[start:])
}
