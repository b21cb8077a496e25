package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
)

// agent is one conversation in one terminal.
type agent struct {
	files
	hooks hooks

	mu      sync.Mutex // guards the fields below
	box     string     // unsent text
	stashed string     // comes back after the next submit
	queued  []string   // submitted while the agent works
	working context.CancelFunc
	dialog  *dialog
	turns   chan string // to the goroutine that takes turns
}

// dialog waits for its first answer.
type dialog struct {
	opened time.Time
	answer chan string // by a key: allow or reject
}

// deafFor is how long a dialog ignores keys.
const deafFor = 300 * time.Millisecond

func newAgent(session, settings string) (*agent, error) {
	f, err := newFiles(session)
	if err != nil {
		return nil, err
	}
	h, err := readHooks(settings)
	return &agent{files: f, hooks: h, turns: make(chan string, 1)}, err
}

// live reads keys and takes turns until a signal or the terminal ends it.
func (a *agent) live(resumed bool) error {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	a.note(agentlog.Started, "", "")
	source := "startup"
	if resumed {
		source = "resume"
	}
	a.hooks.run(context.Background(), "SessionStart", a.payload("SessionStart", object{"source": source}))
	a.become("idle", "")
	a.draw()
	read := make(chan []byte)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		defer close(read)
		for {
			chunk := make([]byte, 4<<10)
			n, err := os.Stdin.Read(chunk)
			if err != nil {
				return
			}
			read <- chunk[:n]
		}
	}()
	go hear(read, a)
	go a.takeTurns()
	select {
	case <-ends:
	case <-closed:
	}
	a.note(agentlog.Ended, "", "")
	a.hooks.run(context.Background(), "SessionEnd", a.payload("SessionEnd", object{"reason": "other"}))
	a.mu.Lock() // for good: what is kept as printed has been printed
	return os.Remove(a.status)
}

func (a *agent) payload(event string, more object) object {
	p := object{"session_id": a.session, "transcript_path": a.transcript, "cwd": a.cwd, "hook_event_name": event}
	if event != "SessionStart" && event != "SessionEnd" {
		p["permission_mode"] = "default"
	}
	for name, value := range more {
		p[name] = value
	}
	return p
}

// takeTurns deals with what was submitted. Messages that waited together are one, as the CLI makes of them.
func (a *agent) takeTurns() {
	for range a.turns {
		for {
			a.mu.Lock()
			messages := a.queued
			a.queued = nil
			ctx, cancel := context.WithCancel(context.Background())
			if len(messages) > 0 {
				a.working = cancel
			}
			a.mu.Unlock()
			if len(messages) == 0 {
				cancel()
				break
			}
			a.turn(ctx, messages)
			a.mu.Lock()
			a.working = nil
			a.mu.Unlock()
			cancel()
		}
	}
}

func (a *agent) typed(text string) {
	a.mu.Lock()
	if a.dialog == nil {
		a.box += text
	}
	a.mu.Unlock()
	a.draw()
}

func (a *agent) submit() {
	a.mu.Lock()
	text := strings.TrimSpace(a.box)
	if a.dialog == nil && text != "" {
		a.queued = append(a.queued, text)
		a.box, a.stashed = a.stashed, ""
	}
	a.mu.Unlock()
	select {
	case a.turns <- "":
	default: // it looks again anyway
	}
	a.draw()
}

func (a *agent) stash() {
	a.mu.Lock()
	if a.dialog == nil && a.box != "" {
		a.stashed, a.box = a.box, ""
	}
	a.mu.Unlock()
	a.draw()
}

func (a *agent) pressEscape() {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.dialog != nil:
		a.dialog.press("reject")
	case a.working != nil:
		a.working()
	}
}

func (a *agent) pressKey(key byte) {
	a.mu.Lock()
	asking := a.dialog
	a.mu.Unlock()
	switch {
	case asking == nil:
		a.typed(string(key))
	case key == '1':
		asking.press("allow")
	}
}

func (d *dialog) press(answer string) {
	if time.Since(d.opened) < deafFor {
		return
	}
	select {
	case d.answer <- answer:
	default: // it has one
	}
}

// draw shows the input box, which tells whether a draft stands in it.
func (a *agent) draw() {
	a.mu.Lock()
	defer a.mu.Unlock()
	rule := strings.Repeat("─", 40)
	screen := "\x1b[2J\x1b[HClaude Code (a stand-in)\r\n"
	if a.dialog != nil {
		screen += "Do you want to proceed?\r\n❯ 1. Yes\r\n  4. No\r\n"
	} else {
		screen += rule + "\r\n❯ " + strings.ReplaceAll(a.box, "\n", "\r\n") + "\r\n" + rule + "\r\n"
	}
	a.print(screen)
}
