package holder_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/term"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/terminal"
)

// person sits at a terminal in which `hostagent attach` runs.
type person struct {
	command *exec.Cmd
	pty     *terminal.PTY
	reading sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	screen *terminal.Terminal
}

func sitDown(t *testing.T, dir string, cols, rows int) *person {
	t.Helper()
	command := exec.CommandContext(t.Context(), self(), dir)
	command.Env = append(os.Environ(), roleVariable+"=attach")
	pty, err := terminal.StartPTY(command, cols, rows)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{command: command, pty: pty, screen: terminal.New(cols, rows)}
	p.reading.Go(p.look)
	t.Cleanup(func() {
		_ = command.Process.Kill() // an error: it has ended
		_ = command.Wait()
		p.reading.Wait()
		_ = pty.Close()
	})
	return p
}

func (p *person) look() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.pty.Read(buffer)
		p.mu.Lock()
		_, _ = p.screen.Write(buffer[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *person) press(t *testing.T, keys string) {
	t.Helper()
	if err := p.pty.Write(t.Context(), []byte(keys)); err != nil {
		t.Fatal(err)
	}
}

func (p *person) enlarge(t *testing.T, cols, rows int) {
	t.Helper()
	p.mu.Lock()
	p.screen.Resize(cols, rows)
	p.mu.Unlock()
	if err := p.pty.Resize(cols, rows); err != nil {
		t.Fatal(err)
	}
}

func (p *person) sees(t *testing.T, what string, wanted func(terminal.Screen) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		p.mu.Lock()
		screen := p.screen.Screen()
		p.mu.Unlock()
		if wanted(screen) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: the person sees %d×%d\n%s", what, screen.Cols, screen.Rows, strings.Join(screen.Lines, "\n"))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// fullScreen is a program that fills the screen and draws it anew when its size changes: each row is numbered, filled
// with zeros, and ends with a bar in the last column. It puts the cursor into the last row, and shows keys there.
func fullScreen() error {
	if _, err := term.MakeRaw(0); err != nil {
		return err
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	keys := make(chan byte)
	go func() {
		defer close(keys)
		for key := make([]byte, 1); ; {
			if _, err := os.Stdin.Read(key); err != nil {
				return
			}
			keys <- key[0]
		}
	}()
	if err := drawFullScreen(); err != nil {
		return err
	}
	for {
		select {
		case <-resized:
			if err := drawFullScreen(); err != nil {
				return err
			}
		case key, ok := <-keys:
			if !ok {
				return nil
			}
			fmt.Printf("key %c;", key)
		}
	}
}

func drawFullScreen() error {
	cols, rows, err := term.GetSize(0)
	if err != nil {
		return err
	}
	fmt.Print("\x1b[?1049h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b[2J")
	for row := range rows {
		fmt.Printf("\x1b[%d;1H%s", row+1, fullScreenRow(cols, rows, row))
	}
	fmt.Printf("\x1b[%d;5H", rows)
	return nil
}

func fullScreenRow(cols, rows, row int) string {
	return fmt.Sprintf("%-29s%0*d|", fmt.Sprintf("row %d of %d by %d", row+1, rows, cols), cols-30, 0)
}

// startFullScreen runs it in a session.
func startFullScreen(t *testing.T) (*holder.Client, string) {
	return start(t, "/usr/bin/env", roleVariable+"=fullscreen", self())
}

// drawnFor is a screen as fullScreen draws it for a terminal of that size, cut off for the person's.
func drawnFor(cols, rows, top int) func(terminal.Screen) bool {
	return func(s terminal.Screen) bool {
		for y := range min(s.Rows, rows-top) {
			if y+top == rows-1 {
				continue // the keys are there
			}
			want := fullScreenRow(cols, rows, y+top)
			if s.Lines[y] != strings.TrimRight(want[:min(len(want), s.Cols)], " ") {
				return false
			}
		}
		for _, line := range s.Lines[min(s.Rows, rows-top):] {
			if line != "" {
				return false
			}
		}
		return true
	}
}

func TestPeopleOfDifferentSizesSeeTheSameProgram(t *testing.T) {
	client, dir := startFullScreen(t)
	large := sitDown(t, dir, 100, 30)
	large.sees(t, "the first decides the size", drawnFor(100, 30, 0))
	small := sitDown(t, dir, 60, 20)
	small.sees(t, "a smaller one sees what is around the cursor", drawnFor(100, 30, 10))
	larger := sitDown(t, dir, 120, 40)
	larger.sees(t, "a larger one sees all", drawnFor(100, 30, 0))
	large.sees(t, "the first is undisturbed", drawnFor(100, 30, 0))

	large.press(t, "x")
	small.sees(t, "what is typed", has("key x;"))
	larger.sees(t, "what is typed", has("key x;"))

	small.press(t, "y")
	small.sees(t, "who types decides", drawnFor(60, 20, 0))
	large.sees(t, "the others see it whole", drawnFor(60, 20, 0))
	larger.sees(t, "the others see it whole", drawnFor(60, 20, 0))

	larger.enlarge(t, 50, 10)
	larger.sees(t, "one who decides nothing makes his window small", drawnFor(60, 20, 10))
	small.enlarge(t, 70, 25)
	small.sees(t, "who decides makes his window larger", drawnFor(70, 25, 0))
	large.sees(t, "all see that", drawnFor(70, 25, 0))

	small.press(t, "\x1c\x1c")
	_ = small.command.Wait()
	large.sees(t, "who typed last before decides next", drawnFor(100, 30, 0))
	if status, err := client.Status(t.Context()); err != nil || status.Viewers != 2 {
		t.Errorf("status is %+v, %v", status, err)
	}
}

func TestASessionOutlivesItsPeople(t *testing.T) {
	tests := map[string]syscall.Signal{"killed": syscall.SIGKILL, "hung up on": syscall.SIGHUP, "told to end": syscall.SIGTERM}
	for name, signal := range tests {
		t.Run(name, func(t *testing.T) {
			client, dir := startFullScreen(t)
			stays := sitDown(t, dir, 60, 20)
			stays.sees(t, "alone", drawnFor(60, 20, 0))
			goes := sitDown(t, dir, 90, 25)
			goes.sees(t, "beside the other", drawnFor(60, 20, 0))
			goes.press(t, "a")
			stays.sees(t, "the other decides", drawnFor(90, 25, 5))
			if err := goes.command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = goes.command.Wait()
			stays.sees(t, "alone again", drawnFor(60, 20, 0))
			stays.press(t, "b")
			stays.sees(t, "it goes on", has("key b;"))
			if status, err := client.Status(t.Context()); err != nil || status.Viewers != 1 || !holder.Alive(dir) {
				t.Errorf("status is %+v, %v", status, err)
			}
		})
	}
}

// modesOn finds modes that a snapshot of a terminal switches on; wrapping and the cursor are on in any.
var modesOn = regexp.MustCompile(`\x1b\[\??(?:[0-689]|\d\d+)h|\x1b=|\x1b\[\d+;\d+r|\x1b\(0`)

func TestDetachingLeavesNothingBehind(t *testing.T) {
	everything := `printf '\033]0;mine\a\033[?1049h\033[?1;5;6;9;45;66;1000;1002;1003;1004;1005;1006;1015;1016;2004;2031h\033[4h\033[20h\033=\033[3;5r\033(0\033[?25l\033[?7l\033[41ml'; stty raw -echo; cat >/dev/null`
	for name, size := range map[string][2]int{"of the session's size": {80, 24}, "of another size": {60, 20}} {
		t.Run(name, func(t *testing.T) {
			_, dir := start(t, "/bin/sh", "-c", everything)
			decides := sitDown(t, dir, 80, 24)
			decides.sees(t, "the program", func(s terminal.Screen) bool { return s.Alternate && s.Title == "mine" })
			leaves := sitDown(t, dir, size[0], size[1])
			leaves.sees(t, "the program", func(s terminal.Screen) bool { return s.Alternate && s.CursorHidden && s.BracketedPaste })
			leaves.press(t, "\x1c\x1c")
			if err := leaves.command.Wait(); err != nil {
				t.Error(err)
			}
			leaves.sees(t, "that it is detached", has("Detached; the session goes on."))
			leaves.mu.Lock()
			defer leaves.mu.Unlock()
			if s := leaves.screen.Screen(); s.Alternate || s.CursorHidden || s.BracketedPaste || s.Title != "" {
				t.Errorf("left are %+v", s)
			}
			if left := modesOn.FindAllString(string(leaves.screen.Snapshot()), -1); left != nil {
				t.Errorf("left are %q", left)
			}
		})
	}
}

func TestWhoComesLateSeesAll(t *testing.T) {
	client, dir := start(t, "/bin/sh", "-c", `printf 'early\n\033[31mred\033[m\n'; exec cat`)
	screenHas(t, client, "red")
	first := sitDown(t, dir, 80, 24)
	first.sees(t, "what was before him", has("early\nred"))
	second := sitDown(t, dir, 80, 24)
	second.sees(t, "what was before him", has("early\nred"))
	second.press(t, "late\r")
	first.sees(t, "what comes", has("late\nlate"))
}
