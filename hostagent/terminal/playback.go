package terminal

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Playback is what a segment of a recording shows, made for a page that only draws: it needs no terminal of its own,
// and nothing in it is an escape sequence or a control character. Rows that look the same are one.
type Playback struct {
	Looks   []Look   `json:"looks"`
	Rows    [][]Run  `json:"rows"`    // different ones
	Frames  []Frame  `json:"frames"`  // the first one is whole
	Markers []Marker `json:"markers"` // what happened
	Length  int64    `json:"length"`  // milliseconds
}

// Frame is what the screen shows from one moment on.
type Frame struct {
	At   int64    `json:"t"`           // milliseconds since the segment began
	Cols int      `json:"c,omitempty"` // with Rows, when the size changes: all rows are blank then
	Rows int      `json:"r,omitempty"`
	Set  [][2]int `json:"s,omitempty"` // places, from 0 at the top, and which of the playback's rows stands there now
	Here *[2]int  `json:"p,omitempty"` // the cursor moves to column, row; -1, -1: it is hidden
}

// Run is text in one look, from a column on. Wide says that it is one character of two columns.
type Run struct {
	Column int    `json:"x"`
	Text   string `json:"t"`
	Look   int    `json:"l,omitempty"` // one of the playback's looks; 0 is plain
	Wide   bool   `json:"w,omitempty"`
}

// Look is how text is drawn. Colours are "" for the default, a number of the palette, or #rrggbb.
type Look struct {
	Foreground string   `json:"f,omitempty"`
	Background string   `json:"b,omitempty"`
	Attributes []string `json:"a,omitempty"`
}

// Marker is a place in a recording.
type Marker struct {
	At   int64  `json:"t"` // milliseconds since the segment began
	Text string `json:"m"`
}

const (
	frameEvery   = 33 * time.Millisecond // no more than 30 frames a second
	maxSets      = 200_000               // changed rows in a playback; if there were more, it has fewer frames
	maxWeight    = 8 << 20               // bytes of its different rows, about, likewise
	coarsest     = time.Minute           // between frames; what is too much even so is left out
	runWeight    = 40                    // bytes of a run beside its text, about
	maxMarkers   = 1000
	longestPause = 24 * time.Hour // that an event is believed
)

// What playing may cost, all attempts together, in cells that are blanked: a segment of a few hundred bytes, packed,
// can hold a hundred thousand sequences that each blank the largest screen. One that a holder wrote costs a tenth.
const (
	maxEffort  = 8 << 30
	eventCosts = 1 << 10
	sizeCosts  = 8  // for each cell of a screen of another size
	lookCosts  = 12 // for each cell that is compared with what the last frame showed
	rowCosts   = 64 // for each cell of a row that has changed
)

// Play reads a segment's text, which may come from anywhere.
func Play(text []byte) (Playback, error) {
	header, events, err := readHeader(text)
	if err != nil {
		return Playback{}, err
	}
	every, effort := frameEvery, int64(0)
	for {
		p := newProjector(header, every, effort)
		shown := p.show(events)
		if shown == len(events) {
			return p.Playback, nil
		}
		every *= time.Duration(1 + len(events)/shown) // so many frames less, and all of it fits
		effort = p.effort
	}
}

// projector plays a segment on a screen and notes what changes.
type projector struct {
	Playback
	screen  *Terminal
	every   time.Duration
	at      time.Duration // of the event that is played
	since   time.Duration // the first event that no frame shows yet, if one is waiting
	waiting bool
	sets    int
	weight  int
	effort  int64    // spent, by the attempts before too
	shown   []int    // which of Rows stands where, after the last frame
	cells   [][]cell // of the last frame
	swept   int      // numbers of styles and clusters mean something else when this changes
	cols    int
	cursor  [2]int
	rows    map[string]int // by what they look like
	looks   map[style]int
}

func newProjector(h castHeader, every time.Duration, effort int64) *projector {
	p := &projector{
		screen: New(h.Term.Cols, h.Term.Rows), every: every, effort: effort, rows: map[string]int{}, looks: map[style]int{{}: 0},
	}
	p.Looks, p.Rows = []Look{{}}, [][]Run{{}}
	p.Frames, p.Markers = []Frame{}, []Marker{}
	p.rows[""] = 0
	return p
}

// show returns how many bytes of the events it has shown: all, unless they are too much at this rate of frames, and may
// not be at a lower one.
func (p *projector) show(events []byte) int {
	shown := 0
	for line := range bytes.Lines(events) {
		shown += len(line)
		p.effort += eventCosts
		var e CastEvent
		if json.Unmarshal(line, &e) != nil || !(e.Interval >= 0) {
			continue // it is for people that this is played
		}
		before := p.at
		p.at += time.Duration(min(e.Interval, longestPause.Seconds()) * float64(time.Second))
		if p.waiting && p.at-p.since >= p.every {
			p.draw(before)
		}
		if !p.waiting {
			p.waiting, p.since = true, p.at
		}
		p.take(e)
		tooMuch := p.sets > maxSets || p.weight > maxWeight
		if tooMuch && p.every < coarsest && p.effort <= maxEffort {
			return max(1, shown-len(line))
		}
		if tooMuch || p.effort > maxEffort {
			p.Markers = append(p.Markers, Marker{p.at.Milliseconds(), "the rest is too much to be shown"})
			break
		}
	}
	p.draw(p.at)
	p.Length = p.at.Milliseconds()
	return len(events)
}

func (p *projector) take(e CastEvent) {
	switch e.Code {
	case "o":
		p.effort += p.screen.mayCost(e.Text)
		_, _ = p.screen.Write([]byte(e.Text)) // never fails
	case "r":
		if cols, rows, ok := parseSize(e.Text); ok {
			p.screen.Resize(cols, rows)
			p.effort += sizeCosts * p.screen.area()
		}
	case "m", "x":
		text := Sanitize(e.Text)
		if e.Code == "x" {
			text = "ended with status " + text
		}
		if len(p.Markers) < maxMarkers {
			p.Markers = append(p.Markers, Marker{p.at.Milliseconds(), text})
		}
	}
}

func (t *Terminal) area() int64 { return int64(t.cols) * int64(t.rows) }

// mayCost is about how many cells are changed by text at most: a sequence may blank all of them, and any other byte
// move the rows and blank one.
func (t *Terminal) mayCost(text string) int64 {
	sequences := strings.Count(text, "\x1b")
	for i := range len(text) {
		if text[i] == 0xc2 { // the first byte of a C1 control
			sequences++
		}
	}
	return int64(sequences)*t.area() + int64(len(text))*int64(t.cols+t.rows)
}

func parseSize(text string) (cols, rows int, ok bool) {
	c, r, found := strings.Cut(text, "x")
	cols, err := strconv.Atoi(c)
	rows, err2 := strconv.Atoi(r)
	return cols, rows, found && err == nil && err2 == nil && cols > 0 && rows > 0
}

// draw adds a frame with what has changed since the last one.
func (p *projector) draw(at time.Duration) {
	p.waiting = false
	f := Frame{At: at.Milliseconds()}
	t := p.screen
	if t.cols != p.cols || t.rows != len(p.shown) {
		f.Cols, f.Rows = t.cols, t.rows
		p.cols, p.shown, p.cells = t.cols, make([]int, t.rows), make([][]cell, t.rows)
	}
	p.effort += lookCosts * t.area()
	swept := p.swept != t.styles.limit+t.clusters.limit
	p.swept = t.styles.limit + t.clusters.limit
	for y, row := range t.screen.lines {
		if !swept && slices.Equal(row, p.cells[y]) {
			continue
		}
		p.cells[y] = append(p.cells[y][:0], row...)
		p.effort += rowCosts * int64(len(row))
		if id := p.row(row); id != p.shown[y] {
			f.Set = append(f.Set, [2]int{y, id})
			p.shown[y] = id
		}
	}
	cursor := [2]int{t.cursor.x, t.cursor.y}
	if !t.modes.private(modeCursor) {
		cursor = [2]int{-1, -1}
	}
	if len(p.Frames) == 0 || cursor != p.cursor {
		p.cursor, f.Here = cursor, &cursor
	}
	if f.Cols == 0 && f.Set == nil && f.Here == nil {
		return
	}
	p.sets += len(f.Set) + 1
	p.Frames = append(p.Frames, f)
}

// row numbers a row by what it looks like.
func (p *projector) row(cells []cell) int {
	runs := p.runs(cells)
	key := make([]byte, 0, 256)
	for _, r := range runs {
		key = strconv.AppendInt(key, int64(r.Column), 36)
		key = append(key, ' ')
		key = strconv.AppendInt(key, int64(r.Look), 36)
		key = append(append(key, ' '), r.Text...)
		key = append(key, 0)
	}
	id, known := p.rows[string(key)]
	if !known {
		id = len(p.Rows)
		p.rows[string(key)] = id
		p.Rows = append(p.Rows, runs)
		p.weight += len(key) + runWeight*len(runs)
	}
	return id
}

// runs are the cells as text, without what cannot be seen.
func (p *projector) runs(cells []cell) []Run {
	runs := []Run{}
	text := make([]byte, 0, len(cells)) // of the last run
	end, open := 0, false               // the column behind it, and whether it may go on
	finish := func() {
		if len(runs) > 0 {
			runs[len(runs)-1].Text, text = string(text), text[:0]
		}
	}
	for x, c := range cells {
		if c.half == right || c.blank() {
			continue
		}
		look, simple := p.look(p.screen.styles.value(c.style)), c.half == whole && c.char&clusterBit == 0
		if open && simple && look == runs[len(runs)-1].Look && (x == end || look == 0) {
			for ; end < x; end++ {
				text = append(text, ' ') // a blank looks like a space in the plain look
			}
		} else {
			finish()
			runs = append(runs, Run{Column: x, Look: look, Wide: c.half == left})
		}
		text = p.appendSeen(text, c)
		end, open = x+1, simple
	}
	finish()
	return runs
}

func (p *projector) appendSeen(text []byte, c cell) []byte {
	before := len(text)
	text = p.screen.appendChar(text, c)
	if r, _ := utf8.DecodeRune(text[before:]); unseen(r) || p.screen.styles.value(c.style).attributes&hidden != 0 {
		return append(text[:before], ' ')
	}
	return text
}

// attributeNames are the attributes that a page draws, in the order of their bits.
var attributeNames = [...]string{"bold", "faint", "italic", "blink", "inverse", "", "struck", "overlined"}

func (p *projector) look(s style) int {
	s.underlineColour = 0
	s.attributes &^= hidden
	if id, known := p.looks[s]; known {
		return id
	}
	look := Look{Foreground: s.foreground.css(), Background: s.background.css()}
	for bit, name := range attributeNames {
		if s.attributes&(1<<bit) != 0 {
			look.Attributes = append(look.Attributes, name)
		}
	}
	if s.underline > 0 {
		look.Attributes = append(look.Attributes, "underline")
	}
	id := len(p.Looks)
	p.looks[s] = id
	p.Looks = append(p.Looks, look)
	return id
}

// css is the colour as a style sheet has it, or the palette's number.
func (c colour) css() string {
	switch {
	case c == 0:
		return ""
	case c&direct != 0:
		text := strconv.FormatUint(uint64(c&0xffffff)|1<<24, 16)
		return "#" + text[1:]
	}
	return strconv.Itoa(int(c & 0xff))
}
