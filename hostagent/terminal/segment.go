package terminal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A recording is a directory of segments, each an asciicast v3 file that can be played by itself. Only the last one
// grows, as plain text; those before it are whole and packed with zstd. So a process that is killed loses nothing
// but what it had not written, and the oldest segments can be dropped without touching the others.
const (
	segmentBytes    = 256 << 10        // of text, after which a segment ends
	floodAge        = time.Second      // unless it is younger: then it may grow,
	floodBytes      = 512 << 10        // up to this, since files cost time
	segmentMost     = 576 << 10        // or here, in the midst of an escape sequence
	segmentAge      = 10 * time.Minute // or when there is output after so long
	maxSegmentText  = 1 << 20          // that is read of one; the recorder writes less than segmentMost, and then at most 6 × what is written at a time, 32 KiB
	plainExtension  = ".cast"
	packedExtension = ".cast.zst"
)

// Segment is a piece of a recording on disk. Numbers begin at 1 and have no gap, unless old ones were dropped.
type Segment struct {
	Number uint64
	At     time.Time // when it began, to the second
	End    time.Time // when something was last written to it
	Size   int64     // bytes on disk
	Closed bool      // nothing is added to it any more
	path   string
	packed bool
}

func segmentPath(dir string, number uint64, at time.Time) string {
	return filepath.Join(dir, fmt.Sprintf("%06d-%d%s", number, at.Unix(), plainExtension))
}

// Segments lists a recording's segments, oldest first. A recording that is not there has none.
func Segments(dir string) ([]Segment, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list recording: %w", err)
	}
	var segments []Segment
	for _, entry := range entries {
		s, ok := parseSegment(entry.Name())
		info, err := entry.Info()
		if !ok || err != nil { // not ours, or dropped in this moment
			continue
		}
		s.path, s.Size, s.End = filepath.Join(dir, entry.Name()), info.Size(), info.ModTime()
		segments = append(segments, s)
	}
	slices.SortFunc(segments, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(b.path, a.path)) // the packed one first
	})
	segments = slices.CompactFunc(segments, func(a, b Segment) bool { return a.Number == b.Number })
	for i := range segments {
		segments[i].Closed = segments[i].packed || i < len(segments)-1
	}
	return segments, nil
}

func parseSegment(name string) (Segment, bool) {
	stem, packed := strings.CutSuffix(name, packedExtension)
	if !packed {
		var plain bool
		if stem, plain = strings.CutSuffix(name, plainExtension); !plain {
			return Segment{}, false
		}
	}
	first, second, _ := strings.Cut(stem, "-")
	number, err := strconv.ParseUint(first, 10, 63)
	seconds, err2 := strconv.ParseInt(second, 10, 64)
	if err != nil || err2 != nil || number == 0 {
		return Segment{}, false
	}
	return Segment{Number: number, At: time.Unix(seconds, 0), packed: packed}, true
}

// Read is the segment's text, up to its last whole line. Of a packed one that is damaged it is what can be read.
func (s Segment) Read() ([]byte, error) {
	raw, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) && !s.packed { // packed in this moment
		s.path, s.packed = strings.TrimSuffix(s.path, plainExtension)+packedExtension, true
		raw, err = os.ReadFile(s.path)
	}
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	if !s.packed {
		return wholeLines(raw[:min(len(raw), maxSegmentText)]), nil
	}
	text, err := Unpack(raw)
	if len(text) > 0 {
		err = nil
	}
	return text, err
}

func wholeLines(text []byte) []byte { return text[:bytes.LastIndexByte(text, '\n')+1] }

// Remove deletes the segment.
func (s Segment) Remove() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop recording: %w", err)
	}
	return nil
}

// newEncoder makes an encoder for some segments. It is dropped after them: it takes more memory than an idle holder has
// to spare.
func newEncoder() (*zstd.Encoder, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(512<<10))
	if err != nil {
		return nil, fmt.Errorf("pack recording: %w", err)
	}
	return encoder, nil
}

// Pack compresses a segment's text.
func Pack(text []byte) ([]byte, error) {
	encoder, err := newEncoder()
	if err != nil {
		return nil, err
	}
	packed := encoder.EncodeAll(text, nil)
	return packed, encoder.Close()
}

// Unpack undoes Pack. What is packed may come from anywhere: no more than maxSegmentText bytes come of it. With an
// error it returns the whole lines that could be read.
func Unpack(packed []byte) ([]byte, error) {
	decoder, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxSegmentText), zstd.WithDecoderMaxMemory(maxSegmentText))
	if err != nil {
		return nil, fmt.Errorf("unpack recording: %w", err)
	}
	defer decoder.Close()
	text := make([]byte, 0, 4*len(packed))
	for len(text) < maxSegmentText {
		text = slices.Grow(text, 32<<10)
		n, err := decoder.Read(text[len(text):min(cap(text), maxSegmentText)])
		text = text[:len(text)+n]
		if errors.Is(err, io.EOF) {
			return wholeLines(text), nil
		}
		if err != nil {
			return wholeLines(text), fmt.Errorf("unpack recording: %w", err)
		}
	}
	return wholeLines(text), errors.New("unpack recording: a segment is longer than any that is written")
}
