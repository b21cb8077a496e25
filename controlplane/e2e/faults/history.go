package main

import (
	"fmt"
	"sync"
	"time"
)

// act is one thing that a person wanted, with all the calls that it took.
type act struct {
	kind    string // the tool
	session string
	text    string // of a message; of an answer, what was answered
	key     string // idempotency key
	again   bool   // the key had been used before
	prompt  string
	began   time.Time
	ended   time.Time
	tries   []try
	message string // id, once it is known
	token   string // other than everybody's; see authority
	status  string // of the message, when the call returned
}

// outcome is what a caller knows after one call.
type outcome string

// The outcomes.
const (
	done    outcome = "ok"
	refused outcome = "fail" // for certain: nothing was done
	unsure  outcome = "info" // no answer, or one that says that nobody knows
)

// try is one call.
type try struct {
	began, ended time.Time
	outcome      outcome
	detail       string
}

func (a *act) last() outcome {
	if len(a.tries) == 0 {
		return unsure
	}
	return a.tries[len(a.tries)-1].outcome
}

// unsures counts the calls of which the caller does not know what they did.
func (a *act) unsures() (n int) {
	for _, t := range a.tries {
		if t.outcome == unsure {
			n++
		}
	}
	return n
}

func (a *act) String() string {
	s := fmt.Sprintf("%s %s session=%s text=%q prompt=%s message=%s %s", a.began.Format("15:04:05.000"), a.kind, a.session, a.text, a.prompt, a.message, a.status)
	for _, t := range a.tries {
		s += fmt.Sprintf("\n      %s–%s %s %s", t.began.Format("15:04:05.000"), t.ended.Format("15:04:05.000"), t.outcome, shorten(t.detail))
	}
	return s
}

// fault is one thing that was done to a part of the system.
type fault struct {
	what   string
	target string
	began  time.Time
	ended  time.Time // the part was let live again; what follows is its recovery
}

func (f fault) String() string {
	return fmt.Sprintf("%s–%s %s %s", f.began.Format("15:04:05.000"), f.ended.Format("15:04:05.000"), f.what, f.target)
}

// history is all that was done.
type history struct {
	mu     sync.Mutex // guards the fields below
	acts   []*act
	faults []fault
	calls  int
}

func (h *history) add(a *act) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, a)
	h.calls += len(a.tries)
}

func (h *history) addFault(f fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, f)
}

func (h *history) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// overlapping is how many calls were under way during some fault.
func (h *history) overlapping() (overlapped, all int) {
	for _, a := range h.acts {
		for _, t := range a.tries {
			all++
			for _, f := range h.faults {
				if t.began.Before(f.ended) && f.began.Before(t.ended) {
					overlapped++
					break
				}
			}
		}
	}
	return overlapped, all
}

func shorten(s string) string {
	const most = 300
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
