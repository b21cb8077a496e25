package holder

import (
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/hostagent/terminal"
)

// BenchmarkOutput compares what a holder does with output (read, screen, filter, recording) with only reading it
// from the PTY, in the same run.
func BenchmarkOutput(b *testing.B) {
	lines := map[string]string{
		"plain":    "The quick brown fox jumps over the lazy dog, and again it does.",
		"coloured": "\\033[32m2026-11-21\\033[m \\033[1;34mINFO\\033[0m a line of a log with colours",
	}
	for name, line := range lines {
		b.Run(name+"/raw", func(b *testing.B) { outputFrom(b, line, func([]byte) {}) })
		b.Run(name+"/holder", func(b *testing.B) {
			recorder, err := terminal.OpenRecording(filepath.Join(b.TempDir(), recordingDir), 80, 24, 0)
			if err != nil {
				b.Fatal(err)
			}
			h := &holder{
				log:      slog.New(slog.DiscardHandler),
				rest:     newRest(),
				screen:   terminal.New(80, 24),
				recorder: recorder,
				viewers:  map[*viewer]bool{},
			}
			outputFrom(b, line, h.show)
			h.rest.timer.Stop()
			if err := recorder.Close(0); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// outputFrom runs a child that writes a great deal as fast as it can.
func outputFrom(b *testing.B, line string, take func([]byte)) {
	const bytesWritten = 32 << 20
	block := strings.Repeat(line+"\\n", 500)
	script := fmt.Sprintf(`stty -opost; text=$(printf '%s'); yes "$text" | head -c %d`, block, bytesWritten)
	b.SetBytes(bytesWritten)
	for b.Loop() {
		command := exec.CommandContext(b.Context(), "/bin/sh", "-c", script)
		pty, err := terminal.StartPTY(command, 80, 24)
		if err != nil {
			b.Fatal(err)
		}
		buffer := make([]byte, readBytes)
		read := 0
		for {
			n, err := pty.Read(buffer)
			take(buffer[:n])
			read += n
			if err != nil {
				break
			}
		}
		if err := command.Wait(); err != nil || read < bytesWritten {
			b.Fatalf("%d bytes, %v", read, err)
		}
		_ = pty.Close()
	}
}
