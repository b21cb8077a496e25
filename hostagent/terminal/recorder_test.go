package terminal

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorded reads a recording back: its header and its events.
func recorded(t *testing.T, path string) (castHeader, []castEvent) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Errorf("recording ends in the midst of a line: %q", last)
	}
	var header castHeader
	if err := json.Unmarshal([]byte(lines[0]), &header); err != nil {
		t.Fatal(err)
	}
	var events []castEvent
	for _, line := range lines[1 : len(lines)-1] {
		var e castEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		events = append(events, e)
	}
	return header, events
}

func output(events []castEvent) string {
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
		path := filepath.Join(t.TempDir(), "recording.cast")
		r, err := OpenRecording(path, 80, 24, 0)
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
		header, events := recorded(t, path)
		if header.Version != 3 || header.Term != (castTerm{80, 24, "xterm-256color"}) {
			t.Errorf("header is %+v", header)
		}
		want := []castEvent{{2, "o", "hello \"✳\x1b[1m\\ \x00\x7f\r\n"}, {1, "r", "100x30"}, {1, "x", "3"}}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEventsAreCutBetweenCharacters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "recording.cast")
		r, err := OpenRecording(path, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		text := "a✳é世界🎉z"
		for i := range len(text) {
			_, _ = r.Write([]byte{text[i]})
			time.Sleep(time.Second)
		}
		_ = r.Close(0)
		_, events := recorded(t, path)
		if got := output(events); got != text {
			t.Errorf("recorded %q, want %q", got, text)
		}
	})
}

func TestOutputIsInTheFileSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "recording.cast")
		r, err := OpenRecording(path, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.Write([]byte("hello"))
		time.Sleep(flushAfter)
		synctest.Wait()
		_, events := recorded(t, path)
		if got := output(events); got != "hello" {
			t.Errorf("the file has %q", got)
		}
		if r.timer != nil {
			t.Error("a timer runs without output")
		}
		_ = r.Close(0)
	})
}

func TestRecordingStopsAtItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recording.cast")
	const limit = 10_000
	r, err := OpenRecording(path, 80, 24, limit)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		_, _ = r.Write([]byte(strings.Repeat("x", 100)))
		r.Flush()
	}
	if err := r.Close(0); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > limit {
		t.Errorf("recording has %d bytes, %v", info.Size(), err)
	}
	_, events := recorded(t, path)
	if last := events[len(events)-1]; last.Code != "m" || !strings.Contains(last.Text, "limit of 10000 bytes") {
		t.Errorf("recording ends with %+v", last)
	}
}

func TestRecordingGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recording.cast")
	for _, text := range []string{"first\r\n", "second\r\n"} {
		r, err := OpenRecording(path, 80, 24, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.Write([]byte(text))
		if err := r.Close(0); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.WriteString(`[1.0, "o", "torn by a loss of pow`)
		file.Close()
	}
	lines, err := TailText(path, 10)
	if diff := cmp.Diff([]string{"first", "second"}, lines); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestAFullDiskLeavesAMarker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recording.cast")
	r, err := OpenRecording(path, 80, 24, 0)
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
	_, events := recorded(t, path)
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
			path := filepath.Join(t.TempDir(), "recording.cast")
			r, err := OpenRecording(path, 80, 5, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = r.Write([]byte(test.text))
			_ = r.Close(0)
			got, err := TailText(path, test.lines)
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
	path := filepath.Join(t.TempDir(), "recording.cast")
	r, err := OpenRecording(path, 80, 24, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 1200 {
		_, _ = r.Write([]byte(strings.Repeat("a line\r\n", 1000)))
	}
	_, _ = r.Write([]byte("the end"))
	_ = r.Close(0)
	got, err := TailText(path, 2)
	if diff := cmp.Diff([]string{"a line", "the end"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestWhatIsNoRecordingIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recording.cast")
	if _, err := TailText(path, 1); err == nil {
		t.Error("a missing one is read")
	}
	for _, text := range []string{"hello\n", "{}\n", `{"version":2}` + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := TailText(path, 1); err == nil {
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

func FuzzTail(f *testing.F) {
	f.Add([]byte("{\"version\":3,\"term\":{\"cols\":5,\"rows\":2}}\n[1, \"o\", \"hi\"]\n[\"\", 1]\n[1,\"r\",\"9x9\"]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := newPlayer(80, 24, 10)
		reader := bufio.NewReader(strings.NewReader(string(text)))
		for {
			line, err := readLine(reader)
			if err != nil {
				break
			}
			p.play(line)
		}
		if len(p.lines()) > 10 {
			t.Error("more lines than asked for")
		}
	})
}
