package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/e2e/faults/agentlog"
	"switchboard/hostagent/protocol"
)

const (
	// withdrawnWithin is how soon a prompt that was answered at the terminal is open nowhere any more.
	withdrawnWithin = 2 * time.Second
	// repeatsAfter is how soon the same person may give the same answer again, because nobody knows its outcome.
	repeatsAfter = 3*dispatch.CallTimeout - time.Second
)

func decides(e agentlog.Entry) bool {
	return e.Kind == agentlog.Allowed || e.Kind == agentlog.Denied || e.Kind == agentlog.Rejected
}

func byHook(e agentlog.Entry) bool {
	return e.Kind == agentlog.Denied || e.Kind == agentlog.Allowed && e.Text == "hook"
}

// decision is how the agent says that a prompt was decided.
func (f facts) decision(p promptRow) (e agentlog.Entry, known bool) {
	for _, e := range f.agents[p.Session] {
		if decides(e) && strings.Contains(p.Detail, e.Tool) {
			return e, true
		}
	}
	return e, false
}

// checkPrompts: each is answered once, and who is said to have answered did.
func (w *world) checkPrompts(f facts) (found []violation) {
	won := map[string][]*act{}
	for _, a := range w.history.acts {
		if a.kind == "respond_to_prompt" && a.last() == done {
			won[a.prompt] = append(won[a.prompt], a)
		}
	}
	for id, acts := range won {
		for _, a := range acts {
			repeated := a.text == acts[0].text && a.began.Sub(acts[0].began).Abs() > repeatsAfter
			if a != acts[0] && !repeated {
				found = append(found, violation{"the first answer wins", "prompt " + id, []string{acts[0].String(), a.String()}})
			}
		}
	}
	if w.plan.real {
		return found
	}
	for session, log := range f.agents {
		outcomes := map[string][]agentlog.Entry{}
		for _, e := range log {
			if decides(e) {
				outcomes[e.Tool] = append(outcomes[e.Tool], e)
			}
		}
		for use, entries := range outcomes {
			found = append(found, w.checkPrompt(f, session, use, entries)...)
		}
	}
	return found
}

func (w *world) checkPrompt(f facts, session, use string, entries []agentlog.Entry) (found []violation) {
	var p promptRow
	fail := func(rule, what string) {
		found = append(found, violation{rule, fmt.Sprintf("session %s, call %s: %s", session, use, what), w.about(f, session, p.ID, use)})
	}
	if len(entries) != 1 {
		fail("a prompt is answered once", fmt.Sprint(entries))
		return found
	}
	e := entries[0]
	for _, candidate := range f.prompts {
		if candidate.Session == session && strings.Contains(candidate.Detail, use) {
			p = candidate
		}
	}
	byHook := byHook(e)
	switch {
	case p.ID == "" && byHook:
		fail("every answer is to a prompt", "answered by a hook, and PostgreSQL knows of no such prompt")
	case p.ID == "":
		// It was asked and answered at the terminal while our hook could not reach its holder.
	case byHook && p.Where != "remote":
		fail("who answered is told", fmt.Sprintf("prompt %s is settled %s by %q, the agent says by the hook", p.ID, p.Outcome, p.Where))
	case byHook && (p.Outcome == "allowed") != (e.Kind == agentlog.Allowed):
		fail("who answered is told", fmt.Sprintf("prompt %s is settled %s, the agent says %s", p.ID, p.Outcome, e.Kind))
	case byHook && (p.SettledBy == "" || p.SettledBy != p.Command):
		fail("the answer that won is handed over", fmt.Sprintf("prompt %s was claimed by command %q, and settled by %q", p.ID, p.Command, p.SettledBy))
	case byHook && (p.Option == "" || (p.Option == "deny") != (e.Kind == agentlog.Denied)):
		fail("the answer that won is handed over", fmt.Sprintf("prompt %s has the answer %q, the agent was told %s", p.ID, p.Option, e.Kind))
	case !byHook && p.Where != "terminal":
		fail("who answered is told", fmt.Sprintf("prompt %s is settled %s by %q, the agent says at the terminal", p.ID, p.Outcome, p.Where))
	}
	return found
}

// checkAnswers: who is told that his answer counts is told the truth, and nobody answers what is settled already.
func (w *world) checkAnswers(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	for _, a := range w.history.acts {
		if a.kind != "respond_to_prompt" || a.last() != done {
			continue
		}
		p := f.prompts[a.prompt]
		e, known := f.decision(p)
		said := a.tries[len(a.tries)-1]
		fail := func(rule string) {
			found = append(found, violation{rule, fmt.Sprintf("%s\n      the agent says %+v", a, e), w.about(f, p.Session, a.prompt, e.Tool)})
		}
		switch {
		case !known && w.agentStays(f, p.Session, said.ended):
			fail("an answer that counts reaches the agent")
		case !known:
		case said.began.After(w.soon(e.At, withdrawnWithin, func(x fault) bool { return x.target == w.hostOf(p.Session).Name })) && !w.wasUnsure(a):
			fail("a stale prompt is not answered")
		case byHook(e) && (e.Kind == agentlog.Denied) != (a.text == "no"):
			fail("who is told that his answer counts is told the truth")
		}
	}
	return append(found, w.checkWithdrawals(f)...)
}

// wasUnsure reports whether somebody had given the same answer before and was not told whether it counts: then it may be
// the one that does, under its old command.
func (w *world) wasUnsure(a *act) bool {
	return slices.ContainsFunc(w.history.acts, func(b *act) bool {
		return b.kind == a.kind && b.prompt == a.prompt && b.text == a.text && b.unsures() > 0 && !b.began.After(a.began)
	})
}

// agentStays reports whether the agent that was asked runs to the end.
func (w *world) agentStays(f facts, session string, since time.Time) bool {
	ends := slices.ContainsFunc(f.agents[session], func(e agentlog.Entry) bool {
		return e.At.After(since) && (e.Kind == agentlog.Ended || e.Kind == agentlog.Started)
	})
	return !ends && !w.killedBetween(session, time.Time{}, time.Now())
}

// checkWithdrawals: a prompt that was answered at the terminal is soon open nowhere any more.
func (w *world) checkWithdrawals(f facts) (found []violation) {
	settled := map[string]time.Time{} // when everybody could know
	for _, events := range f.events {
		for _, e := range events {
			var s protocol.Settlement
			if e.Kind == string(protocol.EventSettlement) && json.Unmarshal(e.Body, &s) == nil {
				settled[string(s.Prompt)] = e.committed
			}
		}
	}
	for _, p := range f.prompts {
		e, known := f.decision(p)
		if !known || byHook(e) {
			continue
		}
		at, is := settled[p.ID]
		by := w.soon(e.At, withdrawnWithin, func(x fault) bool { return w.between(x, p.Session) })
		if !is || at.After(by) {
			found = append(found, violation{"what is answered at the terminal is withdrawn soon", fmt.Sprintf("prompt %s of session %s, answered at %s, withdrawn at %s",
				p.ID, p.Session, e.At.Format("15:04:05.000"), at.Format("15:04:05.000")), w.about(f, p.Session, p.ID, e.Tool)})
		}
	}
	return found
}
