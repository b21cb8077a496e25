package holder_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/terminal"
)

// viewer is an attached terminal with a screen of its own.
type viewer struct {
	keys io.WriteCloser
	done chan error

	mu      sync.Mutex
	screen  *terminal.Terminal
	changed chan struct{}
}

func attach(t *testing.T, client *holder.Client, cols, rows int) *viewer {
	t.Helper()
	in, keys := io.Pipe()
	v := &viewer{keys: keys, done: make(chan error, 1), screen: terminal.New(cols, rows), changed: make(chan struct{}, 1)}
	var group sync.WaitGroup
	group.Go(func() {
		v.done <- client.Attach(t.Context(), holder.Terminal{Input: in, Output: v, Cols: cols, Rows: rows, Resized: v.resized})
	})
	t.Cleanup(func() {
		_ = keys.Close()
		group.Wait()
	})
	return v
}

func (v *viewer) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case v.changed <- struct{}{}:
	default:
	}
	return v.screen.Write(p)
}

func (v *viewer) resized(cols, rows int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.screen.Resize(cols, rows)
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

func (v *viewer) shows(t *testing.T, wanted func(terminal.Screen) bool) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		v.mu.Lock()
		screen := v.screen.Screen()
		v.mu.Unlock()
		if wanted(screen) {
			return
		}
		select {
		case <-v.changed:
		case <-timeout:
			t.Fatalf("viewer's screen is %dx%d %q", screen.Cols, screen.Rows, screen.Lines)
		}
	}
}

func has(text string) func(terminal.Screen) bool {
	return func(s terminal.Screen) bool { return strings.Contains(strings.Join(s.Lines, "\n"), text) }
}

func TestTwoViewersSeeAndTypeTheSame(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	first := attach(t, client, 90, 20)
	first.shows(t, func(s terminal.Screen) bool { return s.Cols == 90 && s.Rows == 20 })
	if _, err := io.WriteString(first.keys, "from the first\n"); err != nil {
		t.Fatal(err)
	}
	first.shows(t, has("from the first"))
	second := attach(t, client, 100, 30)
	second.shows(t, has("from the first"))
	second.shows(t, func(s terminal.Screen) bool { return s.Cols == 90 }) // he only came
	if _, err := io.WriteString(second.keys, "from the second\n"); err != nil {
		t.Fatal(err)
	}
	first.shows(t, has("from the second"))
	second.shows(t, has("from the second"))
	first.shows(t, func(s terminal.Screen) bool { return s.Cols == 100 && s.Rows == 30 }) // he typed
	status, err := client.Status(t.Context())
	if err != nil || status.Viewers != 2 || status.LastInput.IsZero() {
		t.Errorf("status is %+v, %v", status, err)
	}
	waitFor(t, client, holder.KindInput)
	first.keys.Close()
	if err := <-first.done; err != nil {
		t.Errorf("first viewer leaves with %v", err)
	}
	if !holder.Alive(dir) {
		t.Error("the session has gone with a viewer")
	}
}

func TestViewersLeaveWithTheSession(t *testing.T) {
	client, _ := start(t, "/bin/sh", "-c", "read x; echo go''odbye")
	v := attach(t, client, 80, 24)
	v.shows(t, func(s terminal.Screen) bool { return s.Cols == 80 })
	if _, err := io.WriteString(v.keys, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-v.done; err != nil {
		t.Errorf("viewer leaves with %v", err)
	}
	v.shows(t, has("goodbye"))
}

func TestAViewerLeavesWithItsContext(t *testing.T) {
	client, _ := start(t, "/bin/cat")
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	done := make(chan error)
	go func() {
		done <- client.Attach(ctx, holder.Terminal{Input: in, Output: io.Discard, Resized: func(int, int) { cancel() }})
	}()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("attach: %v", err)
	}
}

// stuck is a viewer's output that takes nothing until it is released.
type stuck struct {
	release chan struct{}
	all     bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.release
	return s.all.Write(p)
}

func TestASlowViewerHoldsUpNobodyAndIsShownTheNewestScreen(t *testing.T) {
	client, _ := start(t, "/bin/sh", "-c", "read x; seq 1 1000000; echo all''done; read x")
	slow := &stuck{release: make(chan struct{})}
	in, keys := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- client.Attach(t.Context(), holder.Terminal{Input: in, Output: slow}) }()
	if err := client.Write(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	screenHas(t, client, "alldone")
	close(slow.release)
	_ = keys.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if slow.all.Len() > 4<<20 {
		t.Errorf("%d bytes were kept for a viewer who read nothing", slow.all.Len())
	}
}

func TestAttachHereDetachesAndRestores(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	command := exec.CommandContext(t.Context(), self(), dir)
	command.Env = append(os.Environ(), roleVariable+"=attach")
	pty, err := terminal.StartPTY(command, 70, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pty.Close() }()
	var mu sync.Mutex
	var out bytes.Buffer
	var group sync.WaitGroup
	group.Go(func() {
		buffer := make([]byte, 4096)
		for {
			n, err := pty.Read(buffer)
			mu.Lock()
			out.Write(buffer[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	press := func(text string) {
		if err := pty.Write(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, client, holder.KindResized) // it is attached, and decides the size
	press("hello\r")
	screenHas(t, client, "hello\nhello")
	press("below\r")
	screenHas(t, client, "below\nbelow")
	if err := pty.Resize(60, 15); err != nil {
		t.Fatal(err)
	}
	screenShows(t, client, func(s terminal.Screen) bool { return s.Cols == 60 && s.Rows == 15 })
	press("\x1c\x1c")
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	group.Wait()
	if text := out.String(); !strings.Contains(text, "twice to detach") || !strings.Contains(text, "Detached") {
		t.Errorf("attach says %q", text)
	}
	left := terminal.New(60, 15)
	_, _ = left.Write(out.Bytes())
	if text := strings.Join(left.Screen().Lines, "\n"); !strings.Contains(text, "below\nbelow\n") || !strings.HasSuffix(strings.TrimSpace(text), "Detached; the session goes on.") {
		t.Errorf("attach leaves the screen\n%s", text)
	}
	if !holder.Alive(dir) {
		t.Error("the session has gone with its viewer")
	}
}
