package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
)

// checkInterrupts: an agent is interrupted when somebody was told so, and no more often than anybody asked for it.
func (w *world) checkInterrupts(f facts) (found []violation) {
	asked := map[string]int{}
	for _, a := range w.history.acts {
		interrupts := a.kind == "interrupt_session"
		if interrupts && a.last() != refused || a.kind == pressing && a.text == escape {
			asked[a.session]++
		}
		if interrupts && a.last() == done && worksThrough(f.agents[a.session], a) {
			found = append(found, violation{"an interrupt interrupts", a.String(), w.about(f, a.session, "", "")})
		}
	}
	for session, log := range f.agents {
		times := len(slices.DeleteFunc(slices.Clone(log), func(e agentlog.Entry) bool { return e.Kind != agentlog.Interrupted }))
		if times > asked[session] {
			found = append(found, violation{"nobody interrupts who was not asked to",
				fmt.Sprintf("session %s: %d times, asked for %d times", session, times, asked[session]), w.about(f, session, "", "")})
		}
	}
	return found
}

// worksThrough reports whether the agent worked from before the interrupt until well after, and finished.
func worksThrough(log []agentlog.Entry, a *act) bool {
	var began agentlog.Entry
	for _, e := range log {
		switch e.Kind {
		case agentlog.Message:
			began = e
		case agentlog.Finished:
			if strings.HasPrefix(began.Text, "work ") && began.At.Before(a.began) && e.At.After(a.ended.Add(500*time.Millisecond)) {
				return true
			}
		}
	}
	return false
}
