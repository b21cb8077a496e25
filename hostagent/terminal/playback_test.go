package terminal

import (
	"fmt"
	"strings"
	"testing"
)

// castOf is a segment that repeats its events until it is as long as any that is read.
func castOf(cols, rows int, events string) []byte {
	text := fmt.Sprintf(`{"version":3,"term":{"cols":%d,"rows":%d}}`+"\n", cols, rows)
	return []byte(text + strings.Repeat(events, (maxSegmentText-len(text))/len(events)))
}

func tooMuch(p Playback) bool {
	return len(p.Markers) > 0 && p.Markers[len(p.Markers)-1].Text == "the rest is too much to be shown"
}

// TestPlayingIsBounded: a few hundred packed bytes took a processor for two minutes. What is cut off is said to be.
func TestPlayingIsBounded(t *testing.T) {
	for name, events := range map[string]string{
		"sizes":  `[9,"r","500x250"]` + "\n" + `[9,"r","499x249"]` + "\n",
		"blanks": `[0,"o","` + strings.Repeat("\u009b2J", 2000) + `"]` + "\n",
	} {
		p, err := Play(castOf(MaxCols, MaxRows, events))
		if err != nil || !tooMuch(p) {
			t.Errorf("%s: %d frames, markers %v, %v", name, len(p.Frames), p.Markers, err)
		}
	}
}

// TestAllOfABusySegmentIsShown: ten minutes in which a line is added to a large terminal thirty times a second.
func TestAllOfABusySegmentIsShown(t *testing.T) {
	const seconds = 0.033
	text := string(castOf(160, 50, "x"))
	text = text[:strings.IndexByte(text, '\n')+1]
	for i := range 18_000 {
		text += fmt.Sprintf(`[%v,"o","line %d\r\n"]`+"\n", seconds, i)
	}
	p, err := Play([]byte(text))
	if err != nil || tooMuch(p) || len(p.Frames) < 600 {
		t.Errorf("%d frames, markers %v, %v", len(p.Frames), p.Markers, err)
	}
}
