package session

import (
	"fmt"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// sources says how far each kind of evidence can be relied on, by its first word.
var sources = map[string]protocol.Confidence{
	"created":    protocol.ConfidenceHigh,
	"adopted":    protocol.ConfidenceHigh,
	"process":    protocol.ConfidenceHigh,
	"hook":       protocol.ConfidenceHigh,
	"status":     protocol.ConfidenceMedium,
	"transcript": protocol.ConfidenceMedium,
}

// confidence is how far the session's state can be relied on. That an agent works is only so sure as long as its status
// would show that a person has interrupted it: no hook does.
func (f *fold) confidence() protocol.Confidence {
	source, _, _ := strings.Cut(f.session.Evidence, " ")
	confidence, known := sources[source]
	if f.session.Evidence == evidenceHolderEnded {
		return protocol.ConfidenceHigh // its holder has seen the process's end
	}
	unseen := f.session.State == protocol.StateWorking && f.statusGone()
	if !known || unseen || f.session.State == protocol.StateUncertain {
		return protocol.ConfidenceLow
	}
	return confidence
}

// missStatus takes in that the agent says nothing about itself. A file that is being written reads as none for a moment.
func (f *fold) missStatus(now time.Time) {
	if f.noStatus.IsZero() && f.ready {
		f.noStatus = now
	}
	if !f.noStatus.IsZero() && now.Sub(f.noStatus) > statusMissing {
		f.status = agentkind.Status{}
	}
	f.derive(now)
}

func (f *fold) statusGone() bool { return !f.noStatus.IsZero() && f.status.Activity == "" }

// compareConversation notices when the agent's status is about another conversation than its hooks have named.
func (f *fold) compareConversation(now time.Time) {
	switch other := f.status.Session != "" && f.status.Session != f.process.Session; {
	case !other:
		f.otherStatus = time.Time{}
	case f.otherStatus.IsZero():
		f.otherStatus = now
	}
}

// contradiction says which evidence contradicts which, for longer than one lags behind the other; empty: none does. An
// agent that goes on after it has reported the end of its turn may run another hook of the person's at that end, which
// may send it back to work; nothing tells.
func (f *fold) contradiction(now time.Time) string {
	stopped := f.activity.state == protocol.StateIdle && strings.HasPrefix(f.activity.evidence, "hook ")
	switch {
	case !f.otherStatus.IsZero() && now.Sub(f.otherStatus) > statusMissing:
		return "status file is about another conversation than the hooks"
	case stopped && f.ready && f.stillBusy(now) && f.background == 0:
		return fmt.Sprintf("%s says that the turn is over, %s says busy", f.activity.evidence, evidenceStatus)
	}
	return ""
}

// stillBusy: the agent says that it is busy for longer than its status lags behind its hooks.
func (f *fold) stillBusy(now time.Time) bool {
	return f.status.Activity == agentkind.ActivityBusy && now.Sub(f.activity.at) > statusSettles
}
