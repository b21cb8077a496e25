package web

import "strings"

// diffLine is one line of git's diff, and how it is coloured.
type diffLine struct{ Class, Text string }

// diffLines reads git's unified diff. Headers are told from content by where they stand: only a hunk has content.
func diffLines(diff string) []diffLine {
	var lines []diffLine
	inHunk := false
	for text := range strings.Lines(diff) {
		text = block(strings.TrimRight(text, "\r\n"))
		switch {
		case strings.HasPrefix(text, "diff --git "):
			inHunk = false
			lines = append(lines, diffLine{"file", text})
		case strings.HasPrefix(text, "@@"):
			inHunk = true
			lines = append(lines, diffLine{"hunk", text})
		case inHunk && strings.HasPrefix(text, "+"):
			lines = append(lines, diffLine{"add", text})
		case inHunk && strings.HasPrefix(text, "-"):
			lines = append(lines, diffLine{"del", text})
		default:
			lines = append(lines, diffLine{"", text})
		}
	}
	return lines
}
