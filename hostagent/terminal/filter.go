package terminal

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Filter takes the questions that a program asks of its terminal out of the output that goes to viewers. The
// model answers them, once and without written text; were viewers' terminals asked too, their answers would
// reach the program as if they had been typed, one from each. It also cuts its output where a sequence or a
// character ends, so that a viewer who joins never begins in the midst of one.
type Filter struct {
	held  []byte // the beginning of a sequence or character whose rest has not come yet
	state filterState
}

type filterState uint8

const (
	filterText     filterState = iota
	filterPassing              // the rest of a long string, which is no question
	filterDropping             // the rest of a long string, which is one
)

// maxQuestion is how long a sequence is held back to see whether it is a question.
const maxQuestion = 256

// enquiry is the one control character that is a question (ENQ, the answerback).
const enquiry = 0x05

// Append adds to dst what of p may go to viewers.
func (f *Filter) Append(dst, p []byte) []byte {
	for len(p) > 0 {
		if f.state != filterText || len(f.held) > 0 {
			dst = f.step(dst, p[0])
			p = p[1:]
			continue
		}
		n := plain(p)
		dst = append(dst, p[:n]...)
		p = p[n:]
		if n := harmless(p); n > 0 {
			dst = append(dst, p[:n]...)
			p = p[n:]
			continue
		}
		if len(p) > 0 {
			dst = f.step(dst, p[0])
			p = p[1:]
		}
	}
	return dst
}

// Skip goes past output that nobody sees, so that Append can go on behind it. whole says that no sequence and no
// character is open at its end.
func (f *Filter) Skip(p []byte, whole bool) {
	if whole {
		f.held, f.state = f.held[:0], filterText
		return
	}
	at := bytes.LastIndexByte(p, esc)
	if at >= 0 { // nothing from before it matters
		f.held, f.state = f.held[:0], filterText
	}
	var unseen [maxQuestion]byte
	for p = p[max(at, 0):]; len(p) > 0; {
		n := min(len(p), len(unseen))
		f.Append(unseen[:0], p[:n])
		p = p[n:]
	}
}

// harmless is the length of the plain CSI that p begins with, if it is there whole and no question ends with its
// letter, as nearly always; else 0.
func harmless(p []byte) int {
	if len(p) < 3 || p[0] != esc || p[1] != '[' {
		return 0
	}
	for i, b := range p[2:min(len(p), maxQuestion)] {
		if b >= '@' && b < del && strings.IndexByte(askingLetters, b) < 0 && (b != 'm' || p[2] != '?') {
			return i + 3
		}
		if b < ' ' || b >= '@' {
			return 0
		}
	}
	return 0
}

// askingLetters are those with which controlAsks knows questions.
const askingLetters = "cnpwyquxSthlvR|"

// plain is how many bytes from the start are whole characters without a control that matters here.
func plain(p []byte) int {
	for i, b := range p {
		if b == esc || b == enquiry || b == 0xc2 && (i+1 == len(p) || p[i+1] < 0xa0) {
			return i
		}
	}
	return len(p) - incomplete(p)
}

// step takes one byte of what is not plain text.
func (f *Filter) step(dst []byte, b byte) []byte {
	if f.state == filterPassing {
		dst = append(dst, b)
	}
	if f.state == filterPassing || f.state == filterDropping {
		return f.restOfString(dst, b)
	}
	if f.beside(b) {
		if b != enquiry && b != del {
			dst = append(dst, b)
		}
		return dst
	}
	f.held = append(f.held, b)
	switch progress(f.held) {
	case sequenceOpen:
		if len(f.held) < maxQuestion {
			return dst
		}
		return f.tooLong(dst)
	case sequenceBroken:
		return f.again(dst, 1)
	case stringBroken:
		return f.again(dst, 2)
	}
	return f.release(dst, len(f.held))
}

// beside reports whether b is a control in the midst of a sequence: it acts at once and is no part of it.
func (f *Filter) beside(b byte) bool {
	if len(f.held) == 0 || b >= ' ' && b != del || b == esc || b == can || b == sub {
		return false
	}
	_, introduced := unwrap(f.held)
	return (f.held[0] == esc || introduced) && !stringBegins(f.held)
}

// again lets go of what was held, but for its last n bytes, which begin anew.
func (f *Filter) again(dst []byte, n int) []byte {
	at := len(f.held) - n
	rest := append([]byte(nil), f.held[at:]...)
	dst = f.release(dst, at)
	for _, b := range rest {
		dst = f.step(dst, b)
	}
	return dst
}

// release lets go of n held bytes, unless they are a question, and forgets them.
func (f *Filter) release(dst []byte, n int) []byte {
	if !question(string(f.held[:n]), true) {
		dst = append(dst, f.held[:n]...)
		if stringBegins(f.held[:n]) && bytes.HasSuffix(f.held[:n], []byte("\u009c")) {
			dst = append(dst, "\x1b\\"...) // for terminals to which U+009C ends nothing
		}
	}
	f.held, f.state = f.held[:0], filterText
	return dst
}

func (f *Filter) tooLong(dst []byte) []byte {
	isString := stringBegins(f.held)
	f.state = filterDropping
	if !question(string(f.held), false) {
		f.state = filterPassing
		dst = append(dst, f.held...)
	}
	f.held = f.held[:0]
	if !isString {
		f.state = filterText
	}
	return dst
}

// restOfString watches for the end of a long string. The ESC of ST is enough: what follows it is harmless.
func (f *Filter) restOfString(dst []byte, b byte) []byte {
	if b == bel || b == can || b == sub {
		f.state = filterText
	}
	if b != esc {
		return dst
	}
	if f.state == filterPassing {
		dst = dst[:len(dst)-1]
	}
	f.state = filterText
	return f.step(dst, esc)
}

// sequenceProgress says how far a sequence or character has come.
type sequenceProgress uint8

const (
	sequenceWhole sequenceProgress = iota
	sequenceOpen
	sequenceBroken // before its last byte
	stringBroken   // before its last two bytes: ESC and what it begins
)

// progress looks at the bytes from the first of a sequence or character on.
func progress(held []byte) sequenceProgress {
	last := held[len(held)-1]
	body, known := unwrap(held)
	switch {
	case !known && held[0] != esc:
		if utf8.FullRune(held) {
			if len(held) > 1 && !utf8.Valid(held) {
				return sequenceBroken
			}
			return sequenceWhole
		}
		return sequenceOpen
	case len(held) == 1:
		return sequenceOpen
	case last == can || last == sub:
		return sequenceWhole
	case stringBegins(held):
		return stringProgress(held, body)
	case last == esc, last >= utf8.RuneSelf && (held[0] == esc || len(held) > 2):
		return sequenceBroken // also by a character of several bytes, which may be a C1 control
	case known && len(body) == 1: // only the introducer
		return sequenceOpen
	case known:
		if last >= '@' && last <= '~' {
			return sequenceWhole
		}
		return sequenceOpen
	case last >= ' ' && last <= '/':
		return sequenceOpen
	}
	return sequenceWhole
}

func stringProgress(held, body []byte) sequenceProgress {
	last := held[len(held)-1]
	switch {
	case len(body) == 1:
		return sequenceOpen
	case last == bel && body[0] == ']', bytes.HasSuffix(body, []byte("\x1b\\")), bytes.HasSuffix(body, []byte("\u009c")):
		return sequenceWhole
	case len(body) > 2 && body[len(body)-2] == esc:
		return stringBroken
	}
	return sequenceOpen
}

// unwrap takes the introducer off: ESC [ … and U+009B … are both "[…". It knows CSI and the strings.
func unwrap(held []byte) (body []byte, ok bool) {
	switch {
	case len(held) < 2:
		return nil, false
	case held[0] == esc:
		body = held[1:]
	case held[0] == 0xc2:
		body = append([]byte{held[1] - 0x40}, held[2:]...)
	default:
		return nil, false
	}
	return body, strings.IndexByte("[]PX^_", body[0]) >= 0
}

func stringBegins(held []byte) bool {
	body, ok := unwrap(held)
	return ok && body[0] != '['
}

// question reports whether a terminal might answer this, or take what follows it in another language: VT52's, or with
// other bytes for controls. Of strings only those pass that are known to get no answer: there is always one more
// terminal with one more that does, and kitty types back what a program asks it to. A string that is not whole may
// still become a question.
func question(sequence string, whole bool) bool {
	if sequence == string(rune(enquiry)) || sequence == "\x1bZ" || sequence == "\u009a" {
		return true
	}
	if sequence == "\x1bG" || strings.HasPrefix(sequence, "\x1b%") { // rxvt's graphics; character sets
		return true
	}
	body, ok := unwrap([]byte(sequence))
	if !ok {
		return false
	}
	text := string(body[1:])
	switch body[0] {
	case '[':
		return controlAsks(text)
	case ']':
		return !commandPasses(strings.TrimRight(text, "\x07\x1b\\\u009c"), whole)
	case 'P': // only sixels
		return !strings.HasPrefix(strings.TrimLeft(text, "0123456789;"), "q")
	}
	return true
}

// controlAsks looks at a CSI without its introducer.
func controlAsks(text string) bool {
	if text == "" {
		return false
	}
	final, text := text[len(text)-1], text[:len(text)-1]
	prefix := ""
	if text != "" && strings.Contains("<=>?", text[:1]) {
		prefix = text[:1]
	}
	switch final {
	case 'c':
		return true
	case 'n':
		return prefix != ">"
	case 'p', 'w', 'y':
		return strings.HasSuffix(text, "$") || strings.HasSuffix(text, "*")
	case 'q':
		return prefix == ">"
	case 'u':
		return prefix == "?" || strings.HasSuffix(text, "$") || strings.HasSuffix(text, "&")
	case 'm': // XTQMODKEYS
		return prefix == "?"
	case 'h': // in-band reports of the size, the first of which comes at once
		return prefix == "?" && slices.ContainsFunc(strings.Split(text[1:], ";"), func(mode string) bool { return isNumber(mode, "2048") })
	case 'l': // VT52
		return prefix == "?" && slices.ContainsFunc(strings.Split(text[1:], ";"), func(mode string) bool { return isNumber(mode, "2") })
	case 'v', 'R', '|': // DECRQDE, XTREPORTCOLORS, XTREPORTSGR, DECRQLP
		return strings.Trim(text, "0123456789;") != ""
	case 'x':
		return strings.Trim(text, "0123456789") == ""
	case 'S':
		return prefix == "?"
	case 't':
		number, _, _ := strings.Cut(text, ";")
		return strings.Contains(" 11 13 14 15 16 18 19 20 21 ", " "+strings.TrimLeft(number, "0")+" ")
	}
	return false
}

func isNumber(written, number string) bool { return strings.TrimLeft(written, "0") == number }

// commandPasses looks at an OSC without what stands around it.
func commandPasses(text string, whole bool) bool {
	number, rest, _ := strings.Cut(text, ";")
	switch strings.TrimLeft(number, "0") {
	case "", "1", "2", "7", "8", "9", "133", "777": // titles, directory, links, notifications, marks
		return true
	case "4", "5", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "21", // colours, of which any may be asked for
		"104", "105", "110", "111", "112", "113", "114", "115", "116", "117", "118", "119":
		return whole && !strings.Contains(rest, "?")
	case "52": // the clipboard, to be set
		_, content, found := strings.Cut(rest, ";")
		return found && !strings.HasPrefix(content, "?")
	case "99":
		metadata, _, found := strings.Cut(rest, ";")
		return found && !notificationAsks(metadata)
	case "1337": // iTerm2's pictures
		kind, _, _ := strings.Cut(rest, "=")
		return strings.Contains(" File MultipartFile FilePart FileEnd ", " "+kind+" ")
	}
	return false
}

// notificationAsks reports whether kitty tells of what becomes of a notification, with an id that the program chose.
func notificationAsks(metadata string) bool {
	return strings.Contains(metadata, "?") || strings.Contains(metadata, "a=") && strings.Contains(metadata, "report") || strings.Contains(metadata, "c=1")
}
