package session

import (
	"strings"
	"time"

	"switchboard/hostagent/protocol"
)

// What says that a run is over which neither its agent nor anybody else has ended, as far as is known. A session that
// has ended so is interrupted until the policy has had its say: what it said is then part of the evidence.
const (
	evidenceHolderGone  = "its holder went away"                // while a host agent looked on
	evidenceFoundGone   = "no holder when the host agent began" // so it is interrupted
	evidenceHolderEnded = "its holder was told to end"          // so is this, whoever looked on
)

// The reasons that are told of it.
const (
	reasonRestart = "the machine was restarted"
	reasonKilled  = "its holder was killed"
)

// whyGone is why a run is over without a word, or else what is given.
func (f *fold) whyGone(otherwise string) string {
	if f.boot == "" || f.bootNow == "" || f.boot == f.bootNow {
		return otherwise
	}
	return reasonRestart
}

// lost is the end of a run whose holder went away without a word: the machine stopped, or somebody killed it. If it was
// found so, that was while no host agent ran.
func (f *fold) lost(at time.Time, found bool) {
	evidence, reason := evidenceHolderGone, reasonKilled
	if found {
		evidence = evidenceFoundGone
	}
	if f.boot == "" || f.bootNow == "" {
		reason = "its holder went away" // an earlier version began the run
	}
	if f.ending != "" {
		f.end(at, evidenceHolderGone, evidenceHolderGone, f.ending)
	} else {
		f.end(at, evidence, evidence, f.whyGone(reason))
	}
	f.derive(at)
	f.tellUntaken(at)
}

// tellUntaken names the messages that the agent has confirmed and kept for later, and then lost with itself.
func (f *fold) tellUntaken(at time.Time) {
	for _, id := range f.unshown {
		if m := f.messages[id]; m.run == f.runs && m.state.Status == protocol.MessageAccepted {
			f.notice(at, "The agent was ended before it took this message up: "+cut(m.Text, maxUntaken))
		}
	}
}

// maxUntaken is how much of such a message is quoted, in bytes.
const maxUntaken = 1 << 10

// interrupted reports whether the session's last run was ended by nothing that meant it, and nobody has decided yet
// what becomes of it.
func (f *fold) interrupted() bool {
	return f.session.ExitedAt != nil && (f.session.Evidence == evidenceFoundGone || f.session.Evidence == evidenceHolderEnded)
}

// Interrupted reports whether a session's last run was ended by nothing that meant it, decided or not.
func Interrupted(s protocol.Session) bool {
	return s.State == protocol.StateExited && (strings.HasPrefix(s.Evidence, evidenceFoundGone) || strings.HasPrefix(s.Evidence, evidenceHolderEnded))
}

// decideInterrupted says what becomes of an interrupted session that is not resumed by itself. After that it is an
// ended session like any other.
func (f *fold) decideInterrupted(at time.Time, why string) {
	f.session.ExitReason = f.whyGone(f.session.ExitReason)
	f.session.Evidence += "; " + outgoingLine(why)
	f.tell(at, protocol.EventSession, f.session)
	f.notice(at, "Ended: "+f.session.ExitReason+". "+why)
}
