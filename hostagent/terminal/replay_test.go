package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shots is at how many points of a recording screens are compared.
const shots = 10

// TestReplays feeds what real programs wrote, at 80×24, and compares the screens with those that tmux 3.3a showed
// (capture-pane) after the same bytes, but for line drawing, which capture-pane prints as letters. The programs were
// vim, less, bash and tmux itself.
func TestReplays(t *testing.T) {
	recordings, err := filepath.Glob("testdata/*.raw")
	if err != nil || len(recordings) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, path := range recordings {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(path, "raw") + "screens")
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			screen := New(80, 24)
			fed := 0
			for shot := 1; shot <= shots; shot++ {
				to := len(text) * shot / shots
				feed(screen, text[fed:to])
				fed = to
				appendShot(&got, shot, screen.Screen())
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// feed writes in chunks of an odd size, so that characters and sequences are cut.
func feed(screen *Terminal, text []byte) {
	for len(text) > 0 {
		n := min(777, len(text))
		_, _ = screen.Write(text[:n])
		text = text[n:]
	}
}

func appendShot(out *strings.Builder, shot int, s Screen) {
	fmt.Fprintf(out, "== %d/%d\n%d,%d\n", shot, shots, s.Cursor[0], s.Cursor[1])
	for _, line := range s.Lines {
		fmt.Fprintln(out, line)
	}
}

// TestReplayedResizes takes the same texts through sizes that they were not written for.
func TestReplayedResizes(t *testing.T) {
	recordings, err := filepath.Glob("testdata/*.raw")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range recordings {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		screen := New(80, 24)
		for i := 0; i < len(text); i += 97 {
			_, _ = screen.Write(text[i:min(len(text), i+97)])
			screen.Resize(1+i%130, 1+i*7%50)
			check(t, screen)
		}
	}
}
