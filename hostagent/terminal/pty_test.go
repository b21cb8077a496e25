package terminal_test

import (
	"os/exec"
	"testing"
	"time"

	"switchboard/hostagent/terminal"
)

// Whoever reads late, on a machine with much to do, has all that the child wrote.
func TestReadAfterTheDeadline(t *testing.T) {
	child := exec.CommandContext(t.Context(), "printf", "the last words")
	pty, err := terminal.StartPTY(child, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pty.Close() }()
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := pty.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	got := ""
	buffer := make([]byte, 5)
	for {
		n, err := pty.Read(buffer)
		got += string(buffer[:n])
		if err != nil {
			break
		}
	}
	if got != "the last words" {
		t.Errorf("read %q", got)
	}
}
