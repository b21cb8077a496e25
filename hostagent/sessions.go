package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
	"switchboard/hostagent/terminal"
)

// psCommand is `hostagent ps`.
type psCommand struct {
	All bool `short:"a" help:"Ended sessions too."`
}

// Run lists sessions, whether or not the host agent runs.
func (c *psCommand) Run(env environment) error {
	sessions, err := session.List(env.dir.sessions())
	if err != nil {
		return err
	}
	live, ended := split(sessions)
	if !c.All {
		sessions = live
	}
	if len(sessions) == 0 {
		fmt.Fprintf(env.stdout, "No session lives here; %d have ended (--all lists them).\n", len(ended))
		return hintInterrupted(env, ended)
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tNAME\tSTATE\tCONFIDENCE\tAGE\tDIRECTORY")
	for _, s := range sessions {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, terminal.Sanitize(s.Name), s.State, cmp.Or(s.Confidence, "-"), age(time.Since(s.StartedAt)),
			terminal.Sanitize(s.WorkingDir))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return hintInterrupted(env, ended)
}

// hintFor is for how long after its end an interrupted session is pointed out.
const hintFor = 24 * time.Hour

// hintInterrupted says how to go on with sessions that nobody has ended.
func hintInterrupted(env environment, ended []protocol.Session) error {
	interrupted := matching(ended, func(s protocol.Session) bool {
		return session.Interrupted(s) && s.ExitedAt != nil && time.Since(*s.ExitedAt) < hintFor
	})
	if len(interrupted) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(env.stdout, "Interrupted, and not ended by anybody:\n%s\nResume them on their pages, or with the tool resume_session; "+
		`"after_restart": "resume" in the policy has that done without asking.`+"\n", names(interrupted))
	return err
}

// age is a duration in its largest unit.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

// attachCommand is `hostagent attach`.
type attachCommand struct {
	Session string `arg:"" help:"The session's name or id, or the start of either (hostagent ps)."`
}

// Run joins this terminal to the session.
func (c *attachCommand) Run(env environment) error {
	sessions, err := session.List(env.dir.sessions())
	if err != nil {
		return err
	}
	chosen, err := choose(sessions, c.Session)
	if err != nil {
		return err
	}
	in, inFile := env.stdin.(*os.File)
	out, outFile := env.stdout.(*os.File)
	if !inFile || !outFile {
		return errors.New("attach: this is not a terminal")
	}
	err = holder.AttachHere(env.ctx, filepath.Join(env.dir.sessions(), string(chosen.ID)), in, out)
	if errors.Is(err, holder.ErrGone) {
		return fmt.Errorf("the session %s has ended", chosen.Name)
	}
	return err
}

// choose finds the one session that a person means: by its name, by how its id begins, or by how its name begins. A
// live one goes before an ended one.
func choose(sessions []protocol.Session, ref string) (protocol.Session, error) {
	live, ended := split(sessions)
	for _, among := range [][]protocol.Session{live, ended} {
		for _, means := range []func(protocol.Session) bool{
			func(s protocol.Session) bool { return strings.EqualFold(s.Name, ref) },
			func(s protocol.Session) bool { return strings.HasPrefix(string(s.ID), strings.ToLower(ref)) },
			func(s protocol.Session) bool {
				return strings.HasPrefix(strings.ToLower(s.Name), strings.ToLower(ref))
			},
		} {
			switch meant := matching(among, means); len(meant) {
			case 0:
			case 1:
				return meant[0], nil
			default:
				return protocol.Session{}, fmt.Errorf("%q may be several sessions: say which by the start of its id:\n%s", ref, names(meant))
			}
		}
	}
	if len(live) == 0 {
		return protocol.Session{}, fmt.Errorf("there is no session %q here, and none lives", ref)
	}
	return protocol.Session{}, fmt.Errorf("there is no session %q here; these live:\n%s", ref, names(live))
}

func split(sessions []protocol.Session) (live, ended []protocol.Session) {
	hasEnded := func(s protocol.Session) bool { return s.State == protocol.StateExited }
	return matching(sessions, func(s protocol.Session) bool { return !hasEnded(s) }), matching(sessions, hasEnded)
}

func matching(sessions []protocol.Session, means func(protocol.Session) bool) []protocol.Session {
	var found []protocol.Session
	for _, s := range sessions {
		if means(s) {
			found = append(found, s)
		}
	}
	return found
}

// mostNames is how many sessions an error lists.
const mostNames = 20

func names(sessions []protocol.Session) string {
	var lines []string
	for i, s := range sessions {
		if i == mostNames {
			lines = append(lines, fmt.Sprintf("  and %d more (hostagent ps --all)", len(sessions)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("  %s  %s  (%s, %s)", s.ID, terminal.Sanitize(s.Name), s.State, terminal.Sanitize(s.WorkingDir)))
	}
	return strings.Join(lines, "\n")
}
