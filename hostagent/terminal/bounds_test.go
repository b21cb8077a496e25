package terminal

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// hostile are sequences that ask for as much as they can, again and again.
var hostile = map[string]string{
	"repetition":            "x\x1b[65535b",
	"repetition of a mark":  "e\u0301\u0302\u0303\x1b[65535b",
	"scrolling":             "\x1b[65535S\x1b[65535T",
	"lines":                 "\x1b[H\x1b[65535L\x1b[65535M",
	"characters":            "\x1b[65535@\x1b[65535P\x1b[65535X",
	"tabs":                  "\x1b[3g\x1b[65535I\x1b[65535Z",
	"movements":             "\x1b[65535A\x1b[65535B\x1b[65535C\x1b[65535D\x1b[65535E\x1b[65535F",
	"regions":               "\x1b[1;2r\x1b[65535S\x1b[2;65535r\x1b[65535T\x1b[r",
	"erasure":               "\x1b[2J\x1b[1J\x1b[3J",
	"alternation":           "\x1b[?1049h\x1b[?1049l",
	"alignment":             "\x1b#8",
	"resets":                "\x1bc",
	"wide at the edge":      "\x1b[999G日",
	"insertion":             "\x1b[4h日x",
	"numbers":               "\x1b[" + strings.Repeat("1;", 500) + "m",
	"a long number":         "\x1b[" + strings.Repeat("9", 1000) + "C",
	"many modes":            "\x1b[?" + strings.Repeat("1049;", 31) + "1049h\x1b[?" + strings.Repeat("1049;", 31) + "1049l",
	"titles":                "\x1b]0;" + strings.Repeat("t", 3000) + "\a\x1b[22t",
	"title after title":     "\x1b[22;2t\x1b]2;a\a\x1b[23;2t",
	"an unended command":    "\x1b]52;c;" + strings.Repeat("QUFB", 4000),
	"an unended string":     "\x1bP" + strings.Repeat("q", 4000),
	"links":                 "\x1b]8;id=1;https://example.com/" + strings.Repeat("l", 2000) + "\x1b\\x\x1b]8;;\x1b\\",
	"marks":                 "a" + strings.Repeat("\u0301", 1000),
	"lines of text":         strings.Repeat("scrollback\r\n", 100),
	"broken characters":     "\xf0\x9f\x91\xf0\x9f\xe2\x28\xc0\xff",
	"questions":             "\x1b[6n\x1b[c\x1b[18t",
	"saved cursors":         "\x1b7\x1b[s\x1b[?1048h",
	"intermediates":         "\x1b" + strings.Repeat(" ", 1000) + "F\x1b[1" + strings.Repeat("!", 1000) + "p",
	"escapes":               strings.Repeat("\x1b", 1000),
	"strings in each other": strings.Repeat("\x1b]0;\x1bP", 200),
}

// TestHostileOutputCostsLittle counts what a write does to cells, not how long it takes: work is bounded by the bytes
// written times the size of the screen, with whole screens only where a sequence is about a whole screen.
func TestHostileOutputCostsLittle(t *testing.T) {
	const cols, rows = MaxCols, MaxRows // 8 KB of resets are 4096 screens of this size
	for name, sequence := range hostile {
		t.Run(name, func(t *testing.T) {
			screen := New(cols, rows)
			text := []byte(strings.Repeat(sequence, max(1, 8<<10/len(sequence))))
			_, _ = screen.Write(text)
			check(t, screen)
			scrolled := 0
			screen.scrolledOff = func([]cell) { scrolled++ }
			sequences := bytes.Count(text, []byte("\x1b")) + bytes.Count(text, []byte("\n")) + len(text)/cols
			_, _ = screen.Write(text)
			// REP is cut at a line, SU at a screen: no sequence scrolls more than that.
			if limit := (sequences + 1) * rows; scrolled > limit {
				t.Errorf("%d lines scrolled for %d sequences", scrolled, sequences)
			}
		})
	}
}

// TestRepetitionIsCutAtALine is the step bound of REP: eight bytes print no more than one line.
func TestRepetitionIsCutAtALine(t *testing.T) {
	screen := New(10, 100)
	_, _ = screen.Write([]byte("x\x1b[65535b"))
	if screen.cursor.y != 1 || screen.cursor.x != 1 {
		t.Errorf("REP got to %d,%d", screen.cursor.x, screen.cursor.y)
	}
}

// TestHostileOutputGrowsNothing writes each for long and looks at what the terminal and the filter hold on to.
func TestHostileOutputGrowsNothing(t *testing.T) {
	for name, sequence := range hostile {
		t.Run(name, func(t *testing.T) {
			screen, filter := New(80, 24), Filter{}
			var out []byte
			write := func(times int) {
				for range times {
					_, _ = screen.Write([]byte(sequence))
					out = filter.Append(out[:0], []byte(sequence))
				}
			}
			write(50)
			before := heap()
			write(1 + 256<<10/len(sequence))
			if grown := heap() - before; grown > 128<<10 {
				t.Errorf("%d bytes are held after 256 KB", grown)
			}
			runtime.KeepAlive(screen)
			runtime.KeepAlive(filter)
			if n := len(screen.Snapshot()); n > 1<<20 {
				t.Errorf("a snapshot has %d bytes", n)
			}
		})
	}
}

// TestDifferentOutputGrowsNothing is what repeats nothing: each style, mark, title and link is new.
func TestDifferentOutputGrowsNothing(t *testing.T) {
	screen := New(80, 24)
	write := func(from, to int) {
		for i := from; i < to; i++ {
			fmt.Fprintf(screen, "\x1b]0;%d\a\x1b[22t\x1b]8;;https://example.com/%d\x1b\\\x1b[38;2;%d;%d;%d;58;5;%dmx%c%c", i, i, i>>16&255, i>>8&255, i&255, i%256, 0x300+i%100, 0x300+i/100%100)
		}
	}
	write(0, 10_000)
	before := heap()
	write(10_000, 50_000)
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("%d bytes are held", grown)
	}
	runtime.KeepAlive(screen)
}

// heap is how many bytes are in use.
func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// FuzzChunksAndResizes cuts a text into writes and resizes between them; the model must hold together, and without
// resizes show the same however the text is cut.
func FuzzChunksAndResizes(f *testing.F) {
	for _, sequence := range hostile {
		f.Add([]byte(sequence), []byte{3, 200, 1, 1, 77, 90})
	}
	for _, name := range recordings {
		f.Add(recording(f, name)[:2000], []byte{1, 13, 40, 120, 250})
	}
	f.Fuzz(func(t *testing.T, text, plan []byte) {
		whole, cut, sized := New(40, 12), New(40, 12), New(40, 12)
		_, _ = whole.Write(text)
		rest := text
		for i := 0; len(rest) > 0; i++ {
			n := len(rest)
			if len(plan) > 0 {
				n = min(n, 1+int(plan[i%len(plan)]))
			}
			_, _ = cut.Write(rest[:n])
			_, _ = sized.Write(rest[:n])
			rest = rest[n:]
			if len(plan) > 1 && i < 64 {
				sized.Resize(1+int(plan[(i+1)%len(plan)]), 1+int(plan[(i*3+1)%len(plan)])/4)
				check(t, sized)
			}
		}
		check(t, whole)
		check(t, cut)
		if got, want := cut.Snapshot(), whole.Snapshot(); !bytes.Equal(got, want) {
			t.Errorf("cut differently:\n%q\n%q", got, want)
		}
		view := View{Cols: 17, Rows: 5}
		shown := New(view.Cols, view.Rows)
		_, _ = shown.Write(sized.Draw(&view))
		check(t, shown)
		if len(sized.titles) > maxTitles || len(sized.title) > maxTitle || cap(sized.parser.text) > 2*maxText+64 || cap(sized.parser.params) > 2*maxParams {
			t.Errorf("the parser holds %d bytes and %d numbers", cap(sized.parser.text), cap(sized.parser.params))
		}
	})
}

// TestCommonOutputAllocatesNothing keeps a flood from being collected as garbage.
func TestCommonOutputAllocatesNothing(t *testing.T) {
	text := []byte(strings.Repeat("plain text \x1b[1;38;5;16mword\x1b[0m \x1b[K\x1b[3C日本語\r\n", 100))
	screen := New(80, 24)
	_, _ = screen.Write(text)
	if n := testing.AllocsPerRun(100, func() { _, _ = screen.Write(text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
