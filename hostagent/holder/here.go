package holder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"
)

// noticeTime is how long the line that says how to leave stands before the session's screen covers it.
const noticeTime = 700 * time.Millisecond

// enterScreen keeps the title for leaveScreen.
const enterScreen = "\x1b[22;2t"

// leaveScreen undoes what a full-screen program may have switched on in the person's terminal: synchronised output, the
// alternate screen with its extended keys, mouse and focus reports, bracketed paste, a hidden cursor, line drawing,
// inverse video, insertion, a scroll region, tab stops, a title, a hyperlink. What follows is written below all that the session
// left on the screen.
const leaveScreen = "\x18\x1b[?2026l\x1b[<9u\x1b[?1049l\x1b[<9u\x1b[>4;0m\x1b[?1;5;9;45;66;1000;1002;1003;1004;1005;1006;1015;1016;2004;2031l" +
	"\x1b[?25h\x1b[?7h\x1b[4l\x1b[20l\x1b>\x1b[?6l\x1b[r\x0f\x1b(B\x1b)B\x1b]8;;\x1b\\\x1b[?5W\x1b[0 q\x1b[m\x1b[23;2t\x1b[999;1H"

// AttachHere is what `hostagent attach` does: it joins the person's own terminal to the session in dir, in raw
// mode, until ctrl+\ is pressed twice or the session ends. It says so when it begins and ends.
func AttachHere(ctx context.Context, dir string, in, out *os.File) error {
	if !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return errors.New("attach: this is not a terminal")
	}
	client, err := Dial(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if err := attachRaw(ctx, client, in, out); err != nil {
		return err
	}
	if Alive(dir) {
		_, err = fmt.Fprintln(out, "Detached; the session goes on.")
		return err
	}
	_, err = fmt.Fprintln(out, "The session has ended.")
	return err
}

func attachRaw(ctx context.Context, client *Client, in, out *os.File) error {
	cols, rows, err := term.GetSize(int(out.Fd()))
	if err != nil {
		return fmt.Errorf("attach: ask for the terminal's size: %w", err)
	}
	keys, err := newKeyReader(in)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	defer keys.release()
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("attach: set the terminal to raw mode: %w", err)
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	// The line feeds push what is on the screen into the scrollback, where the session does not overwrite it.
	fmt.Fprint(out, "Attached. Press ctrl+\\ twice to detach.\r\n")
	pause(ctx, noticeTime)
	fmt.Fprint(out, enterScreen, strings.Repeat("\n", rows))
	defer fmt.Fprint(out, leaveScreen, "\r\n")
	sizes, stop := watchSize(out)
	defer stop()
	return client.Attach(ctx, Terminal{
		Input: &detachReader{source: keys}, Output: out, Cols: cols, Rows: rows, Sizes: sizes,
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// watchSize sends the terminal's size whenever it changes (SIGWINCH), until stop is called.
func watchSize(out *os.File) (sizes <-chan [2]int, stop func()) {
	changed, over := make(chan os.Signal, 1), make(chan struct{})
	news := make(chan [2]int)
	signal.Notify(changed, syscall.SIGWINCH)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-changed:
			}
			cols, rows, err := term.GetSize(int(out.Fd()))
			if err != nil {
				continue
			}
			select {
			case <-over:
				return
			case news <- [2]int{cols, rows}:
			}
		}
	})
	return news, func() {
		signal.Stop(changed)
		close(over)
		group.Wait()
	}
}
