package terminal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestResizesAsXtermDoes takes full-screen programs' screens, as they are half way through their recordings, to other
// sizes. Only alternate screens: xterm.js wraps the lines of the main one anew, which the model leaves to the program.
// A viewer is sent a snapshot after each resize, so that his terminal cannot differ from the model. No size cuts a wide
// character in two: xterm.js then keeps it, in half the room, and the model makes it blank (TestResize).
func TestResizesAsXtermDoes(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.resized")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d programs, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".resized")
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := recording(t, name)
			var got strings.Builder
			for _, size := range [][2]int{{80, 24}, {38, 50}, {200, 7}, {130, 45}} {
				screen := New(recordedCols, recordedRows)
				_, _ = screen.Write(text[:len(text)/2])
				screen.Resize(size[0], size[1])
				appendScreen(&got, fmt.Sprintf("%dx%d", size[0], size[1]), screen)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestResizesAtAnyMoment resizes between any two bytes. In the end the whole screen is drawn anew, as programs do
// when they hear of a size: nothing may be left of before.
func TestResizesAtAnyMoment(t *testing.T) {
	for _, name := range recordings {
		t.Run(name, func(t *testing.T) {
			text := recording(t, name)
			clean := New(recordedCols, recordedRows)
			_, _ = clean.Write(text[:len(text)*2/3])
			redraw := clean.Snapshot()
			for seed := range uint64(3) {
				dice := rand.New(rand.NewPCG(seed, 1))
				screen := New(recordedCols, recordedRows)
				for at := 0; at < len(text); {
					n := min(1+dice.IntN(1+dice.IntN(300)), len(text)-at)
					_, _ = screen.Write(text[at : at+n])
					at += n
					screen.Resize(1+dice.IntN(300), 1+dice.IntN(100))
					check(t, screen)
				}
				screen.Resize(recordedCols, recordedRows)
				_, _ = screen.Write([]byte("\x18"))
				_, _ = screen.Write(redraw)
				check(t, screen)
				if got := screen.Snapshot(); string(got) != string(redraw) {
					t.Fatalf("seed %d: %s", seed, cmp.Diff(string(redraw), string(got)))
				}
			}
		})
	}
}
