package terminal

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkWrite is the screen model alone.
func BenchmarkWrite(b *testing.B) {
	coloured := "\x1b[32m2026-11-21\x1b[m \x1b[1;34mINFO\x1b[0m a line of a \x1b[4mlog\x1b[24m with colours\r\n"
	texts := map[string][]byte{
		"plain":    []byte(strings.Repeat("The quick brown fox jumps over the lazy dog, and again it does.\r\n", 1000)),
		"coloured": []byte(strings.Repeat(coloured, 1000)),
		"wide":     []byte(strings.Repeat("日本語のテキスト and ✳ some é\r\n", 1000)),
	}
	for _, name := range []string{"vim", "less", "tmux", "claude"} {
		texts[name] = bytes.Repeat(recording(b, name), 10)
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			screen := New(recordedCols, recordedRows)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = screen.Write(text)
			}
		})
	}
}

// BenchmarkFilter and BenchmarkRecord are what else happens to output.
func BenchmarkFilter(b *testing.B) {
	text := []byte(strings.Repeat("\x1b[32m2026-11-21\x1b[m a line of a log\r\n", 1000))
	var filter Filter
	var out []byte
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		out = filter.Append(out[:0], text)
	}
}

func BenchmarkRecord(b *testing.B) {
	text := []byte(strings.Repeat("\x1b[32m2026-11-21\x1b[m a line of a log\r\n", 100))
	recorder, err := OpenRecording(filepath.Join(b.TempDir(), "recording.cast"), 80, 24, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = recorder.Write(text)
	}
	if err := recorder.Close(0); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTerminal is what a new screen takes.
func BenchmarkTerminal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(120, 40)
	}
}
