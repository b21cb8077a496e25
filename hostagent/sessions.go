package main

import (
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
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tNAME\tSTATE\tAGE\tDIRECTORY")
	for _, s := range sessions {
		if s.State == protocol.StateExited && !c.All {
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.ID, terminal.Sanitize(s.Name), s.State,
			time.Since(s.StartedAt).Truncate(time.Second), terminal.Sanitize(s.WorkingDir))
	}
	return table.Flush()
}

// attachCommand is `hostagent attach`.
type attachCommand struct {
	Session string `arg:"" help:"The session's name, or the start of its id (hostagent ps)."`
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

// choose finds the one session that a person means. A live one goes before an ended one of the same name.
func choose(sessions []protocol.Session, ref string) (protocol.Session, error) {
	var meant []protocol.Session
	for _, live := range []bool{true, false} {
		for _, s := range sessions {
			if (s.State != protocol.StateExited) == live && (s.Name == ref || strings.HasPrefix(string(s.ID), ref)) {
				meant = append(meant, s)
			}
		}
		if len(meant) > 0 {
			break
		}
	}
	switch len(meant) {
	case 0:
		return protocol.Session{}, fmt.Errorf("there is no session %q here; `hostagent ps --all` lists them", ref)
	case 1:
		return meant[0], nil
	}
	var ids []string
	for _, s := range meant {
		ids = append(ids, string(s.ID))
	}
	return protocol.Session{}, fmt.Errorf("%q is the name of several sessions: say which by its id: %s", ref, strings.Join(ids, ", "))
}
