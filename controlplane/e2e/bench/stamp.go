package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// What a child of a terminal is sent, as the host agent types it.
const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
	submit     = "\x18\r"
)

// stamper is a terminal's child that says when its read(2) returned the last of a message.
type stamper struct {
	out net.Conn // see stamps
}

// serveStamper waits for messages until its terminal is closed. Without a host agent it echoes all that it reads;
// with one it is an agent, as far as a message goes, started with the arguments that an agent gets.
func serveStamper(ctx context.Context, socket string, agent []string) error {
	if _, err := term.MakeRaw(int(os.Stdin.Fd())); err != nil {
		return fmt.Errorf("making the terminal raw: %w", err)
	}
	out, err := new(net.Dialer).DialContext(ctx, "unixgram", socket)
	if err != nil {
		return fmt.Errorf("finding who wants to know: %w", err)
	}
	defer out.Close()
	s := stamper{out}
	if len(agent) == 0 {
		return s.echo()
	}
	return s.act(ctx, agent[0], filepath.Dir(agent[slices.Index(agent, "--settings")+1]))
}

func (s stamper) echo() error {
	fmt.Print(".") // it is ready
	buffer := make([]byte, 4<<10)
	for {
		n, err := os.Stdin.Read(buffer)
		if err != nil {
			return nil //nolint:nilerr // that is how a terminal is closed
		}
		at := time.Now()
		if bytes.HasSuffix(buffer[:n], []byte(pasteEnd)) {
			s.say(wordRead, at)
		}
		if _, err := os.Stdout.Write(buffer[:n]); err != nil {
			return err
		}
	}
}

// act shows an empty input box, takes a message when it is submitted, and is done with it at once.
func (s stamper) act(ctx context.Context, hostagent, session string) error {
	hook := func(event, more string) error {
		command := exec.CommandContext(ctx, hostagent, "hook", session, event)
		command.Stdin = strings.NewReader(`{"session_id":"stamper","hook_event_name":"` + event + `"` + more + `}`)
		return command.Run()
	}
	if err := hook("SessionStart", ""); err != nil {
		return err
	}
	drawBox("")
	var typed []byte
	said := false
	buffer := make([]byte, 4<<10)
	for {
		n, err := os.Stdin.Read(buffer)
		if err != nil {
			return nil //nolint:nilerr // that is how a terminal is closed
		}
		at := time.Now()
		typed = append(typed, buffer[:n]...)
		if !said && bytes.Contains(typed, []byte(pasteEnd)) {
			said = true
			s.say(wordRead, at)
			drawBox("…")
		}
		if !bytes.HasSuffix(typed, []byte(submit)) {
			continue
		}
		text := strings.TrimSuffix(strings.TrimPrefix(string(typed), pasteBegin), pasteEnd+submit)
		typed, said = nil, false
		drawBox("")
		if err := errors.Join(hook("UserPromptSubmit", `,"prompt":`+strconv.Quote(text)), hook("Stop", "")); err != nil {
			return err
		}
		s.say(wordDone, time.Now())
	}
}

func drawBox(text string) {
	rule := strings.Repeat("─", 40)
	fmt.Print("\x1b[2J\x1b[H" + rule + "\r\n❯ " + text + "\r\n" + rule + "\r\n")
}

func (s stamper) say(word string, at time.Time) {
	_, _ = fmt.Fprintln(s.out, word, at.UnixNano()) // nobody listens any more: the measurement is over
}
