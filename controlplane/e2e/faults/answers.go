package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os/exec"
	"sync"
	"time"

	"github.com/creack/pty"
)

// answerers look for prompts and answer each in several places at once, and some that may long be settled.
func (w *world) answerers(ctx context.Context, random *rand.Rand) {
	lasting := context.WithoutCancel(ctx)
	var late sync.WaitGroup
	defer late.Wait()
	for wait(ctx, 150*time.Millisecond) {
		var group sync.WaitGroup
		for _, p := range w.prompts(lasting) {
			left, right, delay := random.IntN(4) > 0, random.IntN(2) > 0, between(random, 0, 300*time.Millisecond)
			places, key := random.IntN(8), escape
			if right {
				key = allow
			}
			if places >= 6 && !w.plan.real {
				group.Go(func() { w.atTerminal(p.Session, key) })
			}
			if places != 7 { // of seven only the terminal
				group.Go(func() { w.answer(lasting, p, left) })
			}
			if places >= 2 && places <= 5 {
				group.Go(func() {
					wait(lasting, delay)
					w.answer(lasting, p, right)
				})
			}
			if after := between(random, time.Second, 9*time.Second); after < 5*time.Second {
				late.Go(func() {
					wait(lasting, after)
					w.answer(lasting, p, right)
				})
			}
		}
		group.Wait()
	}
}

type openPrompt struct {
	ID      string `json:"prompt_id"`
	Session string `json:"session_id"`
	Status  string `json:"status"`
}

func (w *world) prompts(ctx context.Context) []openPrompt {
	a := w.begin("check_prompts", nil)
	var got struct {
		Prompts []openPrompt `json:"prompts"`
	}
	w.call(ctx, a, args{}, &got)
	w.finish(a)
	return got.Prompts
}

func (w *world) answer(ctx context.Context, p openPrompt, yes bool) {
	a := w.begin("respond_to_prompt", nil)
	a.session, a.prompt, a.text = p.Session, p.ID, "no"
	if yes {
		a.text = "yes"
	}
	w.call(ctx, a, args{"prompt_id": p.ID, "response": a.text}, nil)
	w.finish(a)
}

// pressing is the kind of act of a person at the terminal.
const pressing = "press_key"

// The keys that a dialog heeds.
const (
	allow  = "1"
	escape = "\x1b"
)

// atTerminal presses a key in a dialog as a person does who has attached himself.
func (w *world) atTerminal(session, key string) {
	w.mu.Lock()
	var at *host
	for _, s := range w.sessions {
		if s.id == session {
			at = s.host
		}
	}
	w.mu.Unlock()
	if at == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, w.programs.HostAgent, "attach", session)
	command.Env, command.Dir = at.Environment(), at.Home.Dir
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		return
	}
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		var shown []byte
		buffer := make([]byte, 4<<10)
		for !bytes.Contains(shown, []byte("proceed?")) {
			n, err := terminal.Read(buffer)
			if err != nil {
				return
			}
			shown = append(shown, buffer[:n]...)
		}
	}()
	select {
	case <-seen:
		w.press(ctx, terminal, session, key)
	case <-ctx.Done():
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	_ = terminal.Close()
	<-seen
}

func (w *world) press(ctx context.Context, terminal io.Writer, session, key string) {
	a := w.begin(pressing, nil)
	a.session, a.text = session, key
	wait(ctx, 400*time.Millisecond) // a dialog that has just opened is deaf
	t := try{began: time.Now(), outcome: done}
	_, _ = io.WriteString(terminal, key) // the session may have ended
	wait(ctx, 200*time.Millisecond)
	t.ended = time.Now()
	a.tries = append(a.tries, t)
	w.finish(a)
}
