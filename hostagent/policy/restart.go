package policy

import "fmt"

// AfterRestart is what becomes of sessions that were ended by nothing that meant them: the machine was restarted, or
// everything was killed.
type AfterRestart string

// What becomes of them when the host agent starts again.
const (
	RestartOffer  AfterRestart = "offer"  // they are shown as what they are, and people may resume them
	RestartResume AfterRestart = "resume" // they are resumed, as far as the rest of the policy lets them
)

func (a AfterRestart) check() error {
	switch a {
	case RestartOffer, RestartResume:
		return nil
	}
	return fmt.Errorf("after_restart %.20q: want %q or %q", string(a), RestartOffer, RestartResume)
}

// Restart says whether interrupted sessions are resumed without anybody's asking.
func (p Policy) Restart() error {
	if p.AfterRestart == RestartResume {
		return nil
	}
	return refuse("after_restart", "this host's policy offers sessions to be resumed, and does not resume them by itself")
}
