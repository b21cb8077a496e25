package session

import (
	"time"

	"switchboard/hostagent/agentkind"
)

// A message that comes while the person's own hook of a turn's end runs is taken at once, with its hook, and kept for
// after that. In between the agent is idle for a moment (19 ms with 2.1.329), by its status.

// keepsMessageWords says why a message waits meanwhile.
const keepsMessageWords = "the agent has not begun with the message before"

// followTurn notices that the agent has begun with the message that it took last: its status says that it is busy since
// the turn before was over. One that says idle, for longer than its status lags, has nothing to begin with.
func (f *fold) followTurn(now time.Time) {
	begun := f.status.Activity == agentkind.ActivityBusy && f.status.At.After(f.turnOver)
	idle := f.status.Activity == agentkind.ActivityIdle && f.status.At.After(f.submitted) && now.Sub(f.status.At) >= statusSettles
	if begun || idle || f.status.Activity == agentkind.ActivityWaiting {
		f.submitted = time.Time{}
	}
}

// keepsMessage: the agent has a message that it has not begun with. A second one would become one turn with it.
func (f *fold) keepsMessage() bool {
	if f.submitted.IsZero() || f.background > 0 {
		return false
	}
	switch f.status.Activity {
	case agentkind.ActivityBusy:
		return !f.status.At.After(f.turnOver)
	case agentkind.ActivityIdle:
		return f.status.At.After(f.submitted)
	}
	return false
}
