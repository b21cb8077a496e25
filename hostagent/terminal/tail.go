package terminal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	maxTail     = 8 << 20 // how much of a recording's end is looked at
	maxCastLine = 1 << 20 // the recorder writes at most about 6 × flushBytes
)

// TailText is the last lines of what the recording at path showed, as plain text, oldest first: the lines that
// left the screen at the top, then the screen. Of full-screen programs that is only the last one's last screen,
// also after it has ended, and built from no more than the recording's last 8 MiB. A torn last line is ignored.
func TailText(path string, lines int) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 64<<10)
	first, err := readLine(reader)
	if errors.Is(err, io.EOF) {
		return nil, nil // nothing is recorded yet
	}
	var header castHeader
	if err != nil || json.Unmarshal(first, &header) != nil || header.Version != 3 {
		return nil, fmt.Errorf("read recording: %s does not begin like asciicast v3", path)
	}
	if err := skipTo(file, reader); err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	player := newPlayer(header.Term.Cols, header.Term.Rows, lines)
	for {
		line, err := readLine(reader)
		if errors.Is(err, io.EOF) {
			return player.lines(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		player.play(line)
	}
}

// skipTo leaves out all but the recording's last maxTail bytes.
func skipTo(file *os.File, reader *bufio.Reader) error {
	info, err := file.Stat()
	if err != nil || info.Size() <= maxTail {
		return err
	}
	if _, err := file.Seek(-maxTail, io.SeekEnd); err != nil {
		return err
	}
	reader.Reset(file)
	_, err = readLine(reader) // the rest of a line
	return err
}

// readLine reads one whole line; one that is not ended is no line.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxCastLine {
			return nil, fmt.Errorf("a line is longer than %d bytes", maxCastLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
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
	var event castEvent
	if json.Unmarshal(line, &event) != nil {
		return
	}
	switch event.Code {
	case "o":
		_, _ = p.screen.Write([]byte(event.Text)) // never fails
	case "r":
		var cols, rows int
		if _, err := fmt.Sscanf(event.Text, "%dx%d", &cols, &rows); err == nil {
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
