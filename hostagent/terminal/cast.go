package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// castHeader is the first line of an asciicast v3 file. Every other line is an event: an array of the seconds
// since the event before, a code ("o" output, "r" resize, "m" marker, "x" exit status) and a text.
type castHeader struct {
	Version   int      `json:"version"`
	Term      castTerm `json:"term"`
	Timestamp int64    `json:"timestamp"` // seconds since 1970
	Tags      []string `json:"tags,omitempty"`
}

// continued is the tag of a segment that goes on where the one before it ended: its first event draws the screen as
// it was then.
const continued = "continued"

type castTerm struct {
	Cols int    `json:"cols"`
	Rows int    `json:"rows"`
	Type string `json:"type"`
}

func appendHeader(dst []byte, cols, rows int, now time.Time, goesOn bool) []byte {
	header := castHeader{Version: 3, Term: castTerm{cols, rows, "xterm-256color"}, Timestamp: now.Unix()}
	if goesOn {
		header.Tags = []string{continued}
	}
	line, _ := json.Marshal(header) // numbers and strings always marshal
	return append(append(dst, line...), '\n')
}

// appendEventStart begins an event; its text and eventEnd follow.
func appendEventStart(dst []byte, interval time.Duration, code byte) []byte {
	dst = append(dst, '[')
	dst = strconv.AppendFloat(dst, interval.Seconds(), 'f', 6, 64)
	return append(dst, `, "`+string(code)+`", "`...)
}

const eventEnd = "\"]\n"

// appendEscaped adds p as the inside of a JSON string. Invalid bytes become U+FFFD.
func appendEscaped(dst, p []byte) []byte {
	start := 0
	for i := 0; i < len(p); {
		b := p[i]
		if escapes[b] == "" {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(p[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, p[start:i]...)
		dst = append(dst, escapes[b]...)
		i++
		start = i
	}
	return append(dst, p[start:]...)
}

// escapes are what stands for a byte in a JSON string, if not itself; for bytes beyond ASCII, if they are no character.
var escapes = escapeTable()

func escapeTable() (table [256]string) {
	for b := range ' ' {
		table[b] = fmt.Sprintf(`\u%04x`, b)
	}
	for b := del; b < len(table); b++ {
		table[b] = "\ufffd"
	}
	table['\n'], table['\r'], table['\t'], table['"'], table['\\'], table[del] = `\n`, `\r`, `\t`, `\"`, `\\`, `\u007f`
	return table
}

// CastEvent is one line of a segment but the first.
type CastEvent struct {
	Interval float64 // seconds since the event before
	Code     string
	Text     string
}

// Cast is a segment's text in parts.
type Cast struct {
	Header    []byte // a line
	Continued bool   // the first event draws the screen as it was at the end of the segment before
	Events    []CastEvent
}

// ParseCast reads a segment's text. Lines that are no events are left out.
func ParseCast(text []byte) (Cast, error) {
	header, events, err := readHeader(text)
	if err != nil {
		return Cast{}, err
	}
	c := Cast{Header: text[:len(text)-len(events)], Continued: slices.Contains(header.Tags, continued)}
	for line := range bytes.Lines(events) {
		var e CastEvent
		if json.Unmarshal(line, &e) == nil && len(e.Code) == 1 && strings.Contains("oirmx", e.Code) {
			c.Events = append(c.Events, e)
		}
	}
	return c, nil
}

// Text undoes ParseCast.
func (c Cast) Text() []byte {
	text := slices.Clone(c.Header)
	for _, e := range c.Events {
		text = appendEventStart(text, time.Duration(e.Interval*float64(time.Second)), e.Code[0])
		text = append(appendEscaped(text, []byte(e.Text)), eventEnd...)
	}
	return text
}

// UnmarshalJSON reads the array.
func (e *CastEvent) UnmarshalJSON(line []byte) error {
	var fields []json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return err
	}
	if len(fields) != 3 {
		return fmt.Errorf("an event has %d fields, want 3", len(fields))
	}
	if err := json.Unmarshal(fields[0], &e.Interval); err != nil {
		return err
	}
	if err := json.Unmarshal(fields[1], &e.Code); err != nil {
		return err
	}
	return json.Unmarshal(fields[2], &e.Text)
}
