package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// maxTail is how much of a recording's end is looked at.
const maxTail = 8 << 20

// TailText is the last lines of what the recording in dir showed, as plain text, oldest first: the lines that left
// the screen at the top, then the screen. Of full-screen programs that is only the last one's last screen, also
// after it has ended, and built from no more than the recording's last 8 MiB. A torn last line is ignored.
func TailText(dir string, lines int) ([]string, error) {
	segments, err := Segments(dir)
	if err != nil {
		return nil, err
	}
	var texts [][]byte // newest first
	for size, i := 0, len(segments)-1; i >= 0 && size < maxTail; i-- {
		text, err := segments[i].Read()
		if err != nil {
			return nil, err
		}
		texts, size = append(texts, text), size+len(text)
	}
	var p *player
	for _, text := range slices.Backward(texts) {
		header, events, err := readHeader(text)
		if len(text) == 0 {
			continue // nothing is recorded yet
		}
		if err != nil {
			return nil, err
		}
		if p == nil {
			p = newPlayer(header.Term.Cols, header.Term.Rows, lines)
		} else if p.screen.Resize(header.Term.Cols, header.Term.Rows); slices.Contains(header.Tags, continued) {
			_, events, _ = bytes.Cut(events, []byte("\n")) // draws what is shown already
		}
		for line := range bytes.Lines(events) {
			p.play(line)
		}
	}
	if p == nil {
		return nil, nil
	}
	return p.lines(), nil
}

// readHeader reads a segment's first line; the others are its events.
func readHeader(text []byte) (header castHeader, events []byte, err error) {
	first, events, _ := bytes.Cut(text, []byte("\n"))
	if json.Unmarshal(first, &header) != nil || header.Version != 3 {
		return header, nil, errors.New("read recording: it does not begin like asciicast v3")
	}
	return header, events, nil
}

// player shows a recording on a screen and keeps the last lines that leave it, and what the last full-screen program
// left behind.
type player struct {
	screen   *Terminal
	wanted   int
	above    []string
	scrolled int      // how many lines have left the screen, kept or not
	left     []string // the alternate screen, as the last program on it left it
	leftAt   int      // how many lines had been shown before it
}

func newPlayer(cols, rows, wanted int) *player {
	p := &player{screen: New(cols, rows), wanted: max(0, wanted)}
	p.screen.scrolledOff = p.keep
	p.screen.leftAlternate = p.keepAlternate
	return p
}

func (p *player) keep(row []cell) {
	if len(p.above) >= 2*p.wanted+64 {
		p.above = append([]string(nil), p.above[len(p.above)-p.wanted:]...)
	}
	p.above = append(p.above, p.screen.line(row, 0))
	p.scrolled++
}

func (p *player) keepAlternate() {
	if lines := trimBlank(p.rows(&p.screen.alternate)); len(lines) > 0 {
		p.left, p.leftAt = lines, p.scrolled+p.screen.saved[0].y
	}
}

func (p *player) rows(g *grid) []string {
	lines := make([]string, len(g.lines))
	for i, row := range g.lines {
		lines[i] = p.screen.line(row, 0)
	}
	return lines
}

// play shows one event. What does not read as one is passed over: it is for people that this is played.
func (p *player) play(line []byte) {
	var event CastEvent
	if json.Unmarshal(line, &event) != nil {
		return
	}
	switch event.Code {
	case "o":
		_, _ = p.screen.Write([]byte(event.Text)) // never fails
	case "r":
		if cols, rows, ok := parseSize(event.Text); ok {
			p.screen.Resize(cols, rows)
		}
	}
}

func (p *player) lines() []string {
	lines := slices.Concat(p.above, p.rows(p.screen.screen))
	if p.screen.screen == &p.screen.main {
		at := p.leftAt - (p.scrolled - len(p.above)) // some that were shown before may not be kept
		lines = slices.Insert(lines, clamp(at, 0, len(lines)), p.left...)
	}
	lines = trimBlank(lines)
	lines = lines[max(0, len(lines)-p.wanted):]
	for i := range lines {
		lines[i] = strings.Map(printableOrTab, lines[i])
	}
	return lines
}

// printableOrTab drops what the model may hold but plain text may not.
func printableOrTab(r rune) rune {
	if unseen(r) || r < ' ' && r != '\t' {
		return -1
	}
	return r
}
