package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// hangs is how long no call may take.
const hangs = 60 * time.Second

type args = map[string]any

// call calls a tool once and says what the caller knows then.
func (w *world) call(ctx context.Context, a *act, arguments args, into any) outcome {
	t := try{began: time.Now()}
	bounded, cancel := context.WithTimeout(ctx, hangs+5*time.Second)
	defer cancel()
	token := w.token
	if a.token != "" {
		token = a.token
	}
	answer, err := harness.CallRaw(bounded, w.mcp(), token, a.kind, arguments)
	t.ended = time.Now()
	t.outcome, t.detail = judge(answer, err)
	if t.outcome == done && into != nil {
		if err := json.Unmarshal(answer.Result.Structured, into); err != nil {
			t.outcome, t.detail = unsure, err.Error()
		}
	}
	a.tries = append(a.tries, t)
	return t.outcome
}

// judge: only a refusal that says why is one.
func judge(answer *harness.Answer, err error) (outcome, string) {
	switch {
	case err != nil:
		return unsure, err.Error()
	case answer.Status != http.StatusOK:
		return unsure, http.StatusText(answer.Status) + " " + string(answer.Body)
	case answer.Error != nil:
		return unsure, "JSON-RPC: " + answer.Error.Message
	case answer.Result.IsError && strings.Contains(answer.Text(), "unknown"):
		return unsure, answer.Text()
	case answer.Result.IsError:
		return refused, answer.Text()
	}
	return done, string(answer.Result.Structured)
}

// persist calls until somebody gives a definite answer, as a client with an idempotency key does.
func (w *world) persist(ctx context.Context, a *act, arguments args, into any) outcome {
	const most = 6
	pause := 200 * time.Millisecond
	for range most {
		if got := w.call(ctx, a, arguments, into); got != unsure || ctx.Err() != nil {
			return got
		}
		wait(ctx, pause)
		pause *= 2
	}
	return unsure
}

// begin and finish frame an act.
func (w *world) begin(kind string, s *agentSession) *act {
	a := &act{kind: kind, began: time.Now()}
	if s != nil {
		a.session = s.id
	}
	return a
}

func (w *world) finish(a *act) {
	a.ended = time.Now()
	if len(a.tries) == 0 {
		return
	}
	w.history.add(a)
}
