package web

import "strings"

// piece is a run of an agent's words: plain, or code that it has marked.
type piece struct {
	Kind pieceKind
	Text string
}

type pieceKind string

// The kinds of pieces.
const (
	pieceWords pieceKind = "words"
	pieceCode  pieceKind = "code"  // within a line
	pieceBlock pieceKind = "block" // lines of their own
)

// prose splits what an agent wrote at the two marks of Markdown that are hard to read past: fenced blocks and
// `code` within a line. All else stays as it was written, but for empty lines at its ends, where a block has its own
// distance. A block that does not end yet goes to the end.
func prose(text string) []piece {
	var pieces []piece
	var words, block strings.Builder
	fence := "" // of the block that is open
	for line := range strings.Lines(text) {
		mark := fenceMark(line)
		switch {
		case fence == "" && mark == "":
			words.WriteString(line)
		case fence == "":
			fence = mark
			pieces = append(pieces, inline(strings.Trim(words.String(), "\n"))...)
			words.Reset()
		case closes(line, fence):
			fence = ""
			pieces = append(pieces, piece{pieceBlock, strings.TrimRight(block.String(), "\n")})
			block.Reset()
		default:
			block.WriteString(line)
		}
	}
	if fence != "" {
		return append(pieces, piece{pieceBlock, strings.TrimRight(block.String(), "\n")})
	}
	return append(pieces, inline(strings.Trim(words.String(), "\n"))...)
}

// fenceMark is the run of backticks that opens a block on this line, or "".
func fenceMark(line string) string {
	line = strings.TrimLeft(line, " \t")
	rest := strings.TrimLeft(line, "`")
	mark := line[:len(line)-len(rest)]
	if len(mark) < 3 || strings.Contains(rest, "`") {
		return ""
	}
	return mark
}

// closes reports whether a line ends the block that fence began: at least as many backticks, and nothing else.
func closes(line, fence string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= len(fence) && strings.Trim(line, "`") == ""
}

// inline splits words at code within a line: between two runs of backticks of the same length.
func inline(text string) []piece {
	var pieces []piece
	done := 0 // up to where text is in pieces
	for at := 0; at < len(text); {
		start := strings.IndexByte(text[at:], '`')
		if start < 0 {
			break
		}
		start += at
		from := start + len(backticks(text[start:]))
		length := closing(text[from:], text[start:from])
		if length <= 0 {
			at = from
			continue
		}
		if start > done {
			pieces = append(pieces, piece{pieceWords, text[done:start]})
		}
		pieces = append(pieces, piece{pieceCode, text[from : from+length]})
		done = from + length + from - start
		at = done
	}
	if done < len(text) {
		pieces = append(pieces, piece{pieceWords, text[done:]})
	}
	return pieces
}

// backticks is the run with which s begins.
func backticks(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "`"))] }

// closing is where in the rest of the line the run mark stands again, or -1.
func closing(s, mark string) int {
	line, _, _ := strings.Cut(s, "\n")
	for at := 0; at < len(line); {
		i := strings.IndexByte(line[at:], '`')
		if i < 0 {
			return -1
		}
		at += i
		run := backticks(line[at:])
		if run == mark {
			return at
		}
		at += len(run)
	}
	return -1
}
