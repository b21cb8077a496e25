package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
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
		group.Go(func() { w.hurtLong(ctx, source(201)) })
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
			w.sendAndAgain(lasting, random, s, w.words(random))
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
		case n < 95:
			w.simple(lasting, "list_sessions", nil, args{})
		case n < 97:
			w.goAstray(lasting, random)
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
		return fmt.Sprintf("work %d milliseconds, number %d", random.IntN(3000), n)
	case 5:
		return fmt.Sprintf("print %d lines, number %d", random.IntN(400), n)
	case 6:
		return fmt.Sprintf("delegate number %d", n)
	case 4:
		return fmt.Sprintf("say number %d\nin two lines, with ünïcödé 👩‍👩‍👧", n)
	}
	return fmt.Sprintf("say number %d", n)
}

// send sends a message. Again says that it was sent before with this key.
func (w *world) send(ctx context.Context, s *agentSession, text, key string, again bool) *act {
	a := w.begin("send_message", s)
	a.text, a.key, a.again = text, key, again
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

// goAstray asks for something in a session that is not there.
func (w *world) goAstray(ctx context.Context, random *rand.Rand) {
	nowhere := fmt.Sprintf("00000000-0000-4000-8000-%012d", w.unique())
	if random.IntN(2) == 0 {
		w.simple(ctx, "send_message", nil, args{"session_id": nowhere, "message": "nobody hears it"})
		return
	}
	w.simple(ctx, "terminate_session", nil, args{"session_id": nowhere})
}

// create returns nil if nobody knows of a session. It asks once more with the same key.
func (w *world) create(ctx context.Context, h *host) *agentSession {
	key := w.newKey()
	id := w.createOnce(ctx, h, key, false)
	if id == "" {
		return nil
	}
	w.createOnce(ctx, h, key, true)
	s := &agentSession{id: id, host: h}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions = append(w.sessions, s)
	return s
}

func (w *world) createOnce(ctx context.Context, h *host, key string, again bool) (id string) {
	a := w.begin("create_session", nil)
	a.key, a.again = key, again
	var got struct {
		Session struct {
			ID string `json:"session_id"`
		} `json:"session"`
	}
	result := w.persist(ctx, a, args{"host": h.Name, "working_dir": h.Project(), "idempotency_key": a.key}, &got)
	a.session = got.Session.ID
	w.finish(a)
	if result != done {
		return ""
	}
	return got.Session.ID
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
