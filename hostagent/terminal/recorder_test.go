package terminal

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// recorded reads a recording back: its first header and all its events.
func recorded(t *testing.T, dir string) (castHeader, []CastEvent) {
	t.Helper()
	segments, err := Segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	var first castHeader
	var events []CastEvent
	for i, s := range segments {
		header, more := segmentEvents(t, s)
		if i == 0 {
			first = header
		}
		events = append(events, more...)
	}
	return first, events
}

func segmentEvents(t *testing.T, s Segment) (castHeader, []CastEvent) {
	t.Helper()
	text, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	header, lines, err := readHeader(text)
	if err != nil {
		t.Fatal(err)
	}
	var events []CastEvent
	for line := range bytes.Lines(lines) {
		var e CastEvent
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		events = append(events, e)
	}
	return header, events
}

func output(events []CastEvent) string {
	var all strings.Builder
	for _, e := range events {
		if e.Code == "o" {
			all.WriteString(e.Text)
		}
	}
	return all.String()
}

func TestRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "recording")
		r, err := OpenRecording(dir, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		_, _ = r.Write([]byte("hello \"✳\x1b[1m\\ \x00\x7f\r\n"))
		time.Sleep(time.Second)
		r.Resize(100, 30)
		time.Sleep(time.Second)
		if err := r.Close(3); err != nil {
			t.Fatal(err)
		}
		header, events := recorded(t, dir)
		if header.Version != 3 || header.Term != (castTerm{80, 24, "xterm-256color"}) {
			t.Errorf("header is %+v", header)
		}
		want := []CastEvent{{2, "o", "hello \"✳\x1b[1m\\ \x00\x7f\r\n"}, {1, "r", "100x30"}, {1, "x", "3"}}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEventsAreCutBetweenCharacters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "recording")
		r, err := OpenRecording(dir, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		text := "a✳é世界🎉z" + "✳"[:2]
		for i := range len(text) {
			_, _ = r.Write([]byte{text[i]})
			time.Sleep(time.Second)
		}
		_ = r.Close(0)
		_, events := recorded(t, dir)
		if got, want := output(events), "a✳é世界🎉z\ufffd\ufffd"; got != want {
			t.Errorf("recorded %q, want %q", got, want)
		}
	})
}

func TestOutputIsInTheFileSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "recording")
		r, err := OpenRecording(dir, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.Write([]byte("hello"))
		time.Sleep(flushAfter)
		synctest.Wait()
		_, events := recorded(t, dir)
		if got := output(events); got != "hello" {
			t.Errorf("the file has %q", got)
		}
		if r.timer != nil {
			t.Error("a timer runs without output")
		}
		_ = r.Close(0)
	})
}

// TestTheBoundKeepsTheEnd: what is dropped is the oldest, and the numbers of what is left say so.
func TestTheBoundKeepsTheEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	const limit = 2 << 20
	r, err := OpenRecording(dir, 80, 24, limit)
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.New(rand.NewChaCha8([32]byte{}))
	line := make([]byte, 100)
	for range 60_000 {
		for i := range line {
			line[i] = ' ' + byte(noise.IntN('~'-' '))
		}
		_, _ = r.Write(line)
		if full, _ := r.Full(); full {
			r.Next(80, 24, []byte("the screen"))
		}
	}
	_, _ = r.Write([]byte("the end"))
	if err := r.Close(0); err != nil {
		t.Fatal(err)
	}
	segments, err := Segments(dir)
	if err != nil || len(segments) < 3 || segments[0].Number == 1 {
		t.Fatalf("%d segments are left, %v", len(segments), err)
	}
	var size int64
	for i, s := range segments {
		size += s.Size
		if s.Number != segments[0].Number+uint64(i) || !s.Closed || !s.packed {
			t.Errorf("segment %d: %+v", i, s)
		}
		info, err := os.Stat(s.path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	if size > limit {
		t.Errorf("%d bytes are kept, want at most %d", size, limit)
	}
	header, events := segmentEvents(t, segments[len(segments)-1])
	if !slices.Contains(header.Tags, continued) || events[0].Text != "the screen" || !strings.HasSuffix(output(events), "the end") {
		t.Errorf("last segment: %+v, ends with %.20q", header, events[len(events)-1].Text)
	}
}

func TestRecordingGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	for i, text := range []string{"first\r\n", "second\r\n"} {
		r, err := OpenRecording(dir, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.Write([]byte(text))
		r.Flush()
		if i > 0 {
			_ = r.Close(0)
			continue
		}
		// As kill -9 leaves it, and then a loss of power.
		_, _ = r.file.WriteAt([]byte(`[1.0, "o", "torn by a loss of pow`), r.size)
		if err := r.packer.finish(); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := TailText(dir, 10)
	if diff := cmp.Diff([]string{"first", "second"}, lines); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	_, events := recorded(t, dir)
	if events[1] != (CastEvent{events[1].Interval, "m", "started again"}) {
		t.Errorf("events are %+v", events)
	}
}

// TestWhatIsLeftOfASegmentIsRead: cut anywhere, a segment reads as a beginning of what was recorded.
func TestWhatIsLeftOfASegmentIsRead(t *testing.T) {
	whole := appendHeader(nil, 80, 24, time.Unix(1_795_250_000, 0), false)
	for i := range 9000 {
		whole = appendEventStart(whole, time.Millisecond, 'o')
		whole = append(appendEscaped(whole, []byte(strings.Repeat("x", i%5)+"✳\r\n")), eventEnd...)
	}
	packed, err := Pack(whole)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := Unpack(packed); err != nil || !bytes.Equal(text, whole) {
		t.Fatalf("unpacked are %d bytes of %d, %v", len(text), len(whole), err)
	}
	for form, file := range map[string][]byte{"1-1795250000.cast": whole[:9000], "1-1795250000.cast.zst": packed} {
		path := filepath.Join(t.TempDir(), form)
		read := 0
		for n := range len(file) {
			if err := os.WriteFile(path, file[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			s, ok := parseSegment(form)
			s.path = path
			text, err := s.Read()
			if !ok || !bytes.HasPrefix(whole, text) || len(text) < read || len(text) > 0 && text[len(text)-1] != '\n' {
				t.Fatalf("%s: of %d bytes %d are read, after %d: %v", form, n, len(text), read, err)
			}
			read = len(text)
		}
		if read < len(file)/2 {
			t.Errorf("%s: of all but the last byte only %d are read", form, read)
		}
	}
}

func TestAFullDiskLeavesAMarker(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	r, err := OpenRecording(dir, 80, 24, 0)
	if err != nil {
		t.Fatal(err)
	}
	r.Flush()
	good := r.file
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("needs /dev/full")
	}
	defer full.Close()
	r.file = full
	_, _ = r.Write([]byte("lost"))
	r.Flush()
	if r.Err() == nil || !strings.Contains(r.Err().Error(), syscall.ENOSPC.Error()) {
		t.Errorf("error is %v", r.Err())
	}
	r.file, r.retry = good, time.Time{}
	_, _ = r.Write([]byte("kept"))
	if err := r.Close(0); err != nil {
		t.Fatal(err)
	}
	_, events := recorded(t, dir)
	if len(events) != 3 || events[0].Code != "m" || !strings.Contains(events[0].Text, "missing") || output(events) != "kept" {
		t.Errorf("recording has %+v", events)
	}
}

func TestTailText(t *testing.T) {
	tests := map[string]struct {
		text  string
		lines int
		want  []string
	}{
		"fewer than asked for": {"a\r\nb\r\n", 5, []string{"a", "b"}},
		"the last":             {"a\r\nb\r\nc", 2, []string{"b", "c"}},
		"more than a screen":   {strings.Repeat("x\r\n", 100) + "end", 30, append(slicesRepeat("x", 29), "end")},
		"rewritten":            {"10%\r20%\r100%", 1, []string{"100%"}},
		"coloured":             {"\x1b[31mred\x1b[m", 1, []string{"red"}},
		"full screen":          {"before\r\n\x1b[?1049h\x1b[Hfull", 1, []string{"full"}},
		"after a full screen":  {"before\r\n\x1b[?1049h\x1b[Hfull\x1b[?1049lafter", 9, []string{"before", "full", "after"}},
		"after mode 47":        {"before\r\n\x1b7\x1b[?47h\x1b[H\x1b[2Jfull\x1b[?47l\x1b8after", 9, []string{"before", "full", "after"}},
		"after mode 1047":      {"\x1b7\x1b[?1047h\x1b[Hfull\x1b[?1047l\x1b8after", 9, []string{"full", "after"}},
		"left twice":           {"\x1b[?1049h\x1b[Hfull\x1b[?1049l\x1b[?1049lafter", 9, []string{"full", "after"}},
		"the last full screen": {"\x1b[?1049hone\x1b[?1049la\r\n\x1b[?1049h\x1b[Htwo\x1b[?1049lb", 9, []string{"a", "two", "b"}},
		"long after":           {"\x1b[?1049hfull\x1b[?1049l" + strings.Repeat("x\r\n", 7) + "end", 9, []string{"full", "x", "x", "x", "x", "x", "x", "x", "end"}},
		"too long after":       {"\x1b[?1049hfull\x1b[?1049l" + strings.Repeat("x\r\n", 500) + "end", 3, []string{"x", "x", "end"}},
		"none":                 {"a", 0, []string{}},
		"nothing":              {"", 5, []string{}},
		"unseen characters":    {"a\u202eb\U000e0041\u2060c", 1, []string{"abc"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "recording")
			r, err := OpenRecording(dir, 80, 5, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = r.Write([]byte(test.text))
			_ = r.Close(0)
			got, err := TailText(dir, test.lines)
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func slicesRepeat(s string, n int) []string {
	return strings.Split(strings.Repeat(s+"\n", n-1)+s, "\n")
}

func TestTailTextOfALongRecording(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	r, err := OpenRecording(dir, 80, 24, 0)
	if err != nil {
		t.Fatal(err)
	}
	screen := New(80, 24)
	for range 1200 {
		text := []byte(strings.Repeat("a line\r\n", 1000))
		_, _ = screen.Write(text)
		_, _ = r.Write(text)
		if full, _ := r.Full(); full {
			r.Next(80, 24, screen.Snapshot())
		}
	}
	_, _ = r.Write([]byte("the end"))
	_ = r.Close(0)
	got, err := TailText(dir, 2)
	if diff := cmp.Diff([]string{"a line", "the end"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestWhatIsNoRecordingIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	if lines, err := TailText(dir, 1); err != nil || len(lines) > 0 {
		t.Errorf("a missing one reads as %q, %v", lines, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"hello\n", "{}\n", `{"version":2}` + "\n"} {
		if err := os.WriteFile(segmentPath(dir, 1, time.Unix(1, 0)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := TailText(dir, 1); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func FuzzEscaped(f *testing.F) {
	f.Add([]byte("a\"\\\x00\x1b\xff\xe2\x9c\xb3\xe2\x9c"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got string
		if err := json.Unmarshal(append(appendEscaped([]byte{'"'}, text), '"'), &got); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(string(text))); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	})
}

// FuzzPlay: a recording may come from any host.
func FuzzPlay(f *testing.F) {
	f.Add([]byte("{\"version\":3,\"term\":{\"cols\":5,\"rows\":2}}\n[1, \"o\", \"\\u001b[31mhi ✳世\"]\n[\"\", 1]\n[1,\"r\",\"9x9\"]\n[1e99,\"m\",\"a\\u001b[1m\"]\n"))
	f.Add([]byte("{\"version\":3}\n[-1, \"o\", \"\"]\n[0,\"r\",\"999999999x1\"]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Play(text)
		if err != nil {
			return
		}
		cols, rows, last := 0, 0, int64(0)
		for i, frame := range got.Frames {
			if frame.Cols > 0 {
				cols, rows = frame.Cols, frame.Rows
			}
			if i == 0 && frame.Cols == 0 || cols > MaxCols || rows > MaxRows || frame.At < last || frame.At > got.Length {
				t.Fatalf("frame %d is %+v of %d×%d after %d", i, frame, cols, rows, last)
			}
			last = frame.At
			for _, set := range frame.Set {
				if set[0] < 0 || set[0] >= rows || set[1] < 0 || set[1] >= len(got.Rows) {
					t.Fatalf("frame %d sets %v of %d rows", i, set, rows)
				}
			}
		}
		for _, row := range got.Rows {
			for _, run := range row {
				if run.Column >= MaxCols || run.Look >= len(got.Looks) || strings.ContainsFunc(run.Text, unicode.IsControl) {
					t.Fatalf("run %+v", run)
				}
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Error(err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	packed, err := Pack([]byte(strings.Repeat("a line\n", 1000)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, packed []byte) {
		if text, _ := Unpack(packed); len(text) > maxSegmentText {
			t.Errorf("%d bytes became %d", len(packed), len(text))
		}
	})
}

func TestABombIsNotUnpacked(t *testing.T) {
	packed, err := Pack(bytes.Repeat([]byte("x\n"), 32<<20))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := Unpack(packed); err == nil || len(text) > maxSegmentText {
		t.Errorf("%d packed bytes became %d, %v", len(packed), len(text), err)
	}
}

func TestPlay(t *testing.T) {
	text := appendHeader(nil, 10, 3, time.Unix(1, 0), true)
	for _, e := range []CastEvent{
		{0, "o", "\x1b[2J\x1b[Hhello"}, {0.5, "o", "\r\n\x1b[1;31mred\x1b[m 世"}, {0.001, "o", "!"},
		{1, "m", "a \x1b[1mmark"}, {1, "r", "4x2"}, {2, "o", "\x1b[?25l\x1b]0;title\x07"}, {1, "x", "3"},
	} {
		text = appendEventStart(text, time.Duration(e.Interval*float64(time.Second)), e.Code[0])
		text = append(appendEscaped(text, []byte(e.Text)), eventEnd...)
	}
	got, err := Play(text)
	want := Playback{
		Looks: []Look{{}, {Foreground: "1", Attributes: []string{"bold"}}},
		Rows: [][]Run{
			{}, {{0, "hello", 0, false}}, {{0, "red", 1, false}, {4, "世", 0, true}, {6, "!", 0, false}},
			{{0, "hell", 0, false}}, {{0, "red", 1, false}},
		},
		Frames: []Frame{
			{At: 0, Cols: 10, Rows: 3, Set: [][2]int{{0, 1}}, Here: &[2]int{5, 0}},
			{At: 501, Set: [][2]int{{1, 2}}, Here: &[2]int{7, 1}},
			{At: 2501, Cols: 4, Rows: 2, Set: [][2]int{{0, 3}, {1, 4}}, Here: &[2]int{3, 1}},
			{At: 4501, Here: &[2]int{-1, -1}},
		},
		Markers: []Marker{{1501, "a mark"}, {5501, "ended with status 3"}},
		Length:  5501,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
