package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"time"

	"github.com/creack/pty"
)

// senders is how many people send, read and interrupt; each prompt is answered by a few at once.
const senders = 8

// play lets people and faults have their way until the time or the steps are over.
func (w *world) play(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, w.plan.duration)
	defer stop()
	var group sync.WaitGroup
	source := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(w.plan.seed, n)) } //nolint:gosec // to be repeatable
	for n := range uint64(senders) {
		group.Go(func() { w.person(ctx, source(n)) })
	}
	group.Go(func() { w.answerers(ctx, source(100)) })
	group.Go(func() { w.comeAndGo(ctx, source(101)) })
	group.Go(func() { w.poach(ctx, source(102)) })
	if !w.plan.calm {
		group.Go(func() { w.hurt(ctx, source(200)) })
	}
	for wait(ctx, 200*time.Millisecond) {
		if w.plan.steps > 0 && w.history.count() >= w.plan.steps {
			stop()
		}
	}
	group.Wait()
}

// person does one thing after the other. What is under way at the end is finished.
func (w *world) person(ctx context.Context, random *rand.Rand) {
	lasting := context.WithoutCancel(ctx)
	for wait(ctx, between(random, 10*time.Millisecond, 400*time.Millisecond)) {
		s := w.live(random.IntN)
		if s == nil {
			w.create(lasting, w.hosts[random.IntN(len(w.hosts))])
			continue
		}
		switch n := random.IntN(100); {
		case n < 55:
			w.send(lasting, s, w.words(random))
		case n < 62:
			w.simple(lasting, "interrupt_session", s, args{"session_id": s.id})
		case n < 70:
			w.simple(lasting, "wait_for_session", s, args{"session_id": s.id, "until": "idle", "timeout_seconds": 1 + random.IntN(3)})
		case n < 80:
			w.simple(lasting, "get_logs", s, args{"session_id": s.id, "lines": 20})
		case n < 85:
			w.simple(lasting, "get_logs", s, args{"session_id": s.id, "view": "screen"})
		case n < 92:
			w.simple(lasting, "get_session_status", s, args{"session_id": s.id})
		case n < 97:
			w.simple(lasting, "list_sessions", nil, args{})
		case n < 98:
			w.simple(lasting, "list_hosts", nil, args{})
		case n < 99:
			w.terminate(lasting, s, random.IntN(2) == 0)
		default:
			w.bringBack(lasting)
		}
	}
}

// words are a message that no other message is like.
func (w *world) words(random *rand.Rand) string {
	n := w.unique()
	if w.plan.real {
		switch random.IntN(4) {
		case 0:
			return fmt.Sprintf("fake:bash echo %d >> ran.txt ;; text told %d", n, n)
		case 1:
			return fmt.Sprintf("fake:slow 1 ;; text slow %d", n)
		}
		return fmt.Sprintf("fake:text said %d", n)
	}
	switch random.IntN(12) {
	case 0, 1, 2:
		return fmt.Sprintf("ask number %d", n)
	case 3:
		return fmt.Sprintf("work %d milliseconds, number %d", random.IntN(1500), n)
	case 5:
		return fmt.Sprintf("print %d lines, number %d", random.IntN(400), n)
	case 6:
		return fmt.Sprintf("delegate number %d", n)
	case 4:
		return fmt.Sprintf("say number %d\nin two lines, with ünïcödé 👩‍👩‍👧", n)
	}
	return fmt.Sprintf("say number %d", n)
}

func (w *world) send(ctx context.Context, s *agentSession, text string) *act {
	a := w.begin("send_message", s)
	a.text, a.key = text, fmt.Sprintf("key-%d-%s", w.plan.seed, text)
	if len(a.key) > 60 {
		a.key = fmt.Sprintf("key-%d-%d", w.plan.seed, w.unique())
	}
	var got struct {
		ID     string `json:"message_id"`
		Status string `json:"status"`
	}
	w.persist(ctx, a, args{"session_id": s.id, "message": text, "idempotency_key": a.key, "wait_seconds": 0}, &got)
	a.message, a.status = got.ID, got.Status
	w.finish(a)
	return a
}

func (w *world) simple(ctx context.Context, tool string, s *agentSession, arguments args) {
	a := w.begin(tool, s)
	w.call(ctx, a, arguments, nil)
	w.finish(a)
}

// create returns nil if nobody knows of a session.
func (w *world) create(ctx context.Context, h *host) *agentSession {
	a := w.begin("create_session", nil)
	a.key = fmt.Sprintf("session-%d-%d", w.plan.seed, w.unique())
	var got struct {
		Session struct {
			ID string `json:"session_id"`
		} `json:"session"`
	}
	result := w.persist(ctx, a, args{"host": h.Name, "working_dir": h.Project(), "idempotency_key": a.key}, &got)
	a.session = got.Session.ID
	w.finish(a)
	if result != done {
		return nil
	}
	s := &agentSession{id: got.Session.ID, host: h}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions = append(w.sessions, s)
	return s
}

// byForce is what an act says that ended a session at once.
const byForce = "by force"

// terminate ends a session, unless somebody else is at it.
func (w *world) terminate(ctx context.Context, s *agentSession, force bool) {
	if w.claim(func(other *agentSession) bool { return other == s && s.lives() }) == nil {
		return
	}
	defer w.release(s)
	w.becomes(s, unclear)
	a := w.begin("terminate_session", s)
	if force {
		a.text = byForce
	}
	if w.persist(ctx, a, args{"session_id": s.id, "force": force}, nil) == done {
		w.becomes(s, ended)
	}
	w.finish(a)
}

// bringBack resumes a session that has ended; if there is none, it starts one.
func (w *world) bringBack(ctx context.Context) {
	s := w.claim(func(s *agentSession) bool { return s.fate == ended })
	if s == nil {
		w.create(ctx, w.hosts[w.unique()%len(w.hosts)])
		return
	}
	defer w.release(s)
	w.becomes(s, unclear)
	a := w.begin("resume_session", s)
	switch got := w.persist(ctx, a, args{"session_id": s.id}, nil); {
	case got == done:
		w.becomes(s, lives)
	case got == refused && len(a.tries) == 1: // most of all since its end is not known yet
		w.becomes(s, ended)
	}
	w.finish(a)
}

// answerers look for prompts and answer each in several places at once.
func (w *world) answerers(ctx context.Context, random *rand.Rand) {
	lasting := context.WithoutCancel(ctx)
	for wait(ctx, 150*time.Millisecond) {
		var group sync.WaitGroup
		for _, p := range w.prompts(lasting) {
			places := random.IntN(4)
			left, right, delay := random.IntN(4) > 0, random.IntN(2) > 0, between(random, 0, 300*time.Millisecond)
			group.Go(func() { w.answer(lasting, p, left) })
			if places >= 1 {
				group.Go(func() {
					wait(lasting, delay)
					w.answer(lasting, p, right)
				})
			}
			if places == 3 && !w.plan.real {
				group.Go(func() { w.atTerminal(p.Session, "1") })
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

// atTerminal presses a key as a person does who has attached himself.
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
	case <-ctx.Done():
	}
	wait(ctx, 400*time.Millisecond)  // a dialog that has just opened is deaf
	_, _ = terminal.WriteString(key) // the session may have ended
	wait(ctx, 200*time.Millisecond)
	_ = command.Process.Kill()
	_ = command.Wait()
	_ = terminal.Close()
	<-seen
}
