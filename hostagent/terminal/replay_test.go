package terminal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
)

// Recordings are what real programs wrote to a terminal of this size. `make screens` renews them, and beside each the
// screens that @xterm/headless 6.0.0 with Unicode 11's widths shows after each tenth of it:
//
//	== shot/shots normal|alternate column,row    where the cursor is; in column 120 it has yet to wrap
//	the characters of a row, without trailing blanks
//	<tab>from-to [+marks] [wide] attributes, …   of runs of the row's cells that are not plain, if there are any
//
// A cell that was never written and a space are the same. Colours are f, b and u (of the underline) with a palette's
// index or #rrggbb.
const (
	recordedCols = 120
	recordedRows = 40
	shots        = 10
)

// recordings are the programs recorded, so that a missing file is noticed.
var recordings = []string{"claude", "dialog", "htop", "less", "mc", "nano", "shell", "tmux", "vim"}

func recording(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".raw"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// chunkings are ways to cut a text into writes.
var chunkings = map[string]func(left int) int{
	"1":      func(int) int { return 1 },
	"7":      func(int) int { return 7 },
	"777":    func(int) int { return 777 },
	"whole":  func(left int) int { return left },
	"random": random(1, 20),
	"ragged": random(2, 3000),
}

func random(seed uint64, most int) func(int) int {
	dice := rand.New(rand.NewPCG(seed, seed))
	return func(int) int { return 1 + dice.IntN(most) }
}

func TestReplays(t *testing.T) {
	for _, name := range recordings {
		text := recording(t, name)
		want, err := os.ReadFile(filepath.Join("testdata", name+".screens"))
		if err != nil {
			t.Fatal(err)
		}
		for chunking, next := range chunkings {
			t.Run(name+"/"+chunking, func(t *testing.T) {
				if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(replay(text, next), "\n")); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// replay is what the model shows at each shot.
func replay(text []byte, next func(left int) int) string {
	var out strings.Builder
	screen := New(recordedCols, recordedRows)
	fed := 0
	for shot := 1; shot <= shots; shot++ {
		to := len(text) * shot / shots
		feed(screen, text[fed:to], next)
		fed = to
		appendScreen(&out, fmt.Sprintf("%d/%d", shot, shots), screen)
	}
	return out.String()
}

func feed(screen *Terminal, text []byte, next func(left int) int) {
	for len(text) > 0 {
		n := min(next(len(text)), len(text))
		_, _ = screen.Write(text[:n])
		text = text[n:]
	}
}

func appendScreen(out *strings.Builder, name string, t *Terminal) {
	x := t.cursor.x
	if t.cursor.wrapNext {
		x++
	}
	fmt.Fprintf(out, "== %s %s %d,%d\n", name, [...]string{"normal", "alternate"}[t.shown()], x, t.cursor.y)
	for _, row := range t.screen.lines {
		t.appendRow(out, row)
	}
}

// appendRow writes a row as the recordings' screens have it.
func (t *Terminal) appendRow(out *strings.Builder, row []cell) {
	var text []byte
	var runs []string
	from, look := 0, ""
	end := func(x int) {
		if look != "" {
			runs = append(runs, fmt.Sprintf("%d-%d%s", from, x-1, look))
		}
		from = x
	}
	for x, c := range row {
		if c.half == right {
			continue
		}
		text = t.appendChar(text, c)
		if now := t.look(c); now != look {
			end(x)
			look = now
		}
	}
	end(len(row))
	fmt.Fprintln(out, strings.TrimRight(string(text), " "))
	if len(runs) > 0 {
		fmt.Fprintln(out, "\t"+strings.Join(runs, ", "))
	}
}

// look is all about a cell but its text.
func (t *Terminal) look(c cell) string {
	var look strings.Builder
	if marks := len([]rune(string(t.appendChar(nil, c)))) - 1; marks > 0 {
		fmt.Fprintf(&look, " +%d", marks)
	}
	if c.half == left {
		look.WriteString(" wide")
	}
	s := t.styles.value(c.style)
	for bit, name := range []string{"bold", "faint", "italic", "blink", "inverse", "hidden", "struck", "overlined"} {
		if s.attributes&(1<<bit) != 0 {
			look.WriteString(" " + name)
		}
	}
	if s.underline > 0 {
		fmt.Fprintf(&look, " underline%d%s", s.underline, colourText("u", s.underlineColour))
	}
	return look.String() + colourText("f", s.foreground) + colourText("b", s.background)
}

func colourText(prefix string, c colour) string {
	switch {
	case c == 0:
		return ""
	case c&direct != 0:
		return fmt.Sprintf(" %s#%06x", prefix, uint32(c&0xffffff))
	}
	return " " + prefix + strconv.Itoa(int(c&0xff))
}

// TestReplaysAreComplete notices a recording that lost its screens or that nobody plays.
func TestReplaysAreComplete(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.raw")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, path := range paths {
		got = append(got, strings.TrimSuffix(filepath.Base(path), ".raw"))
	}
	slices.Sort(got)
	if diff := cmp.Diff(recordings, got); diff != "" {
		t.Error(diff)
	}
}

// TestReplayIsOfPinnedVersion: the recording of Claude Code is renewed with the version that everything else is from.
func TestReplayIsOfPinnedVersion(t *testing.T) {
	if !bytes.Contains(recording(t, "claude"), []byte("v"+claudecli.Version)) {
		t.Errorf("the recording is not of Claude Code %s; run make screens ONLY=claude", claudecli.Version)
	}
}
