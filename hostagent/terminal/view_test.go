package terminal

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestViewsShowAPartOfTheScreen takes each recording to terminals of all sizes, drawn now and then.
func TestViewsShowAPartOfTheScreen(t *testing.T) {
	for _, name := range recordings {
		t.Run(name, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(1, 2))
			text := recording(t, name)
			screen := New(recordedCols, recordedRows)
			var view View
			var shown *Terminal
			for len(text) > 0 {
				n := min(1+dice.IntN(900), len(text))
				_, _ = screen.Write(text[:n])
				text = text[n:]
				if dice.IntN(20) == 0 || shown == nil {
					view = View{Cols: 1 + dice.IntN(150), Rows: 1 + dice.IntN(60)}
					shown = New(view.Cols, view.Rows)
					_, _ = shown.Write([]byte("of before\x1b[?1049h\x1b[?1002h\x1b[4h\x1b[5;2r\x1b[?6h\x1b[1;44m\x1b(0"))
				}
				_, _ = shown.Write(screen.Draw(&view))
				check(t, shown)
				compareView(t, screen, shown, &view)
			}
		})
	}
}

// compareView looks whether shown has what the view is meant to have of screen.
func compareView(t *testing.T, screen, shown *Terminal, v *View) {
	t.Helper()
	if got, want := [2]int{shown.cursor.x + v.x, shown.cursor.y + v.y}, [2]int{screen.cursor.x, screen.cursor.y}; got != want {
		t.Fatalf("the cursor is at %v of the screen, want %v", got, want)
	}
	if got, want := shown.modes.private(modeCursor), screen.modes.private(modeCursor); got != want {
		t.Fatalf("the cursor's sight is %v, want %v", got, want)
	}
	want := New(v.Cols, v.Rows)
	want.styles, want.clusters = screen.styles, screen.clusters
	for y, row := range want.screen.lines {
		if y+v.y < screen.rows {
			copy(row, screen.screen.lines[y+v.y][v.x:])
		}
		if row[0].half == right {
			row[0] = cell{style: row[0].style}
		}
		if last := len(row) - 1; row[last].half == left {
			row[last] = cell{style: row[last].style}
		}
	}
	var got, wanted strings.Builder
	for y := range v.Rows {
		shown.appendRow(&got, shown.screen.lines[y])
		want.appendRow(&wanted, want.screen.lines[y])
	}
	if got.String() != wanted.String() {
		t.Fatal(cmp.Diff(strings.Split(wanted.String(), "\n"), strings.Split(got.String(), "\n")))
	}
}

func TestViewsTakeOnWhatKeysMean(t *testing.T) {
	tests := map[string]struct{ text, has, hasNot string }{
		"keys, pastes, inverse": {"\x1b[?1h\x1b[?5h\x1b[?2004h\x1b=", "\x1b[?1h\x1b[?5h\x1b[?2004h\x1b=", ""},
		"the title":             {"\x1b]2;work\a", "\x1b]2;work\a", ""},
		"no mouse, no focus":    {"\x1b[?1000h\x1b[?1002h\x1b[?1003h\x1b[?1006h\x1b[?1004h", "", "\x1b[?100"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := string(written(test.text).Draw(&View{Cols: 5, Rows: 2}))
			if !strings.Contains(got, test.has) || test.hasNot != "" && strings.Contains(got, test.hasNot) {
				t.Errorf("drawn is %q", got)
			}
		})
	}
}

// TestAnUnchangedViewCostsLittle is what makes a view bearable over a slow line.
func TestAnUnchangedViewCostsLittle(t *testing.T) {
	screen := New(recordedCols, recordedRows)
	_, _ = screen.Write(recording(t, "vim")[:30_000])
	view := View{Cols: 80, Rows: 24}
	whole := len(screen.Draw(&view))
	if again := len(screen.Draw(&view)); again > 32 || whole < 500 {
		t.Errorf("drawing costs %d bytes, and %d the second time", whole, again)
	}
}
