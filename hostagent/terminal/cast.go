package terminal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// castHeader is the first line of an asciicast v3 file. Every other line is an event: an array of the seconds
// since the event before, a code ("o" output, "r" resize, "m" marker, "x" exit status) and a text.
type castHeader struct {
	Version   int      `json:"version"`
	Term      castTerm `json:"term"`
	Timestamp int64    `json:"timestamp"` // seconds since 1970
}

type castTerm struct {
	Cols int    `json:"cols"`
	Rows int    `json:"rows"`
	Type string `json:"type"`
}

func appendHeader(dst []byte, cols, rows int, now time.Time) []byte {
	// A castHeader holds only numbers and a string, which always marshal.
	line, _ := json.Marshal(castHeader{3, castTerm{cols, rows, "xterm-256color"}, now.Unix()})
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
		if b >= ' ' && b < del && b != '"' && b != '\\' {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(p[i:])
			i += size
			if r != utf8.RuneError || size > 1 {
				continue
			}
			dst = append(dst, p[start:i-1]...)
			dst = append(dst, "\ufffd"...)
			start = i
			continue
		}
		dst = append(dst, p[start:i]...)
		dst = appendEscape(dst, b)
		i++
		start = i
	}
	return append(dst, p[start:]...)
}

func appendEscape(dst []byte, b byte) []byte {
	const hex = "0123456789abcdef"
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
}

// castEvent is one line of a recording but the first.
type castEvent struct {
	Interval float64
	Code     string
	Text     string
}

// UnmarshalJSON reads the array.
func (e *castEvent) UnmarshalJSON(line []byte) error {
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
