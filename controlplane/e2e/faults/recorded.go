package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
	"switchboard/hostagent/terminal"
)

// recordedRun is what a recording has of one process of an agent: its output in pieces, between which some is missing
// for which there was no room.
type recordedRun struct {
	pieces [][]byte
	ends   bool // the recording says that the agent has ended
}

func readRuns(recording string) (runs []recordedRun, err error) {
	segments, err := terminal.Segments(recording)
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		text, err := s.Read()
		if err != nil {
			return nil, err
		}
		cast, err := terminal.ParseCast(text)
		if err != nil {
			return nil, fmt.Errorf("segment %d of %s: %w", s.Number, recording, err)
		}
		if !cast.Continued || len(runs) == 0 {
			runs = append(runs, recordedRun{pieces: [][]byte{nil}})
		}
		runs[len(runs)-1].add(cast)
	}
	return runs, nil
}

func (r *recordedRun) add(cast terminal.Cast) {
	drawn := !cast.Continued // the screen that a segment goes on with is no output
	for _, e := range cast.Events {
		last := len(r.pieces) - 1
		switch {
		case e.Code == "o" && !drawn:
			drawn = true
		case e.Code == "o":
			r.pieces[last] = append(r.pieces[last], e.Text...)
		case e.Code == "m" && strings.Contains(e.Text, "of output are missing"):
			r.pieces = append(r.pieces, nil)
		case e.Code == "x":
			r.ends = true
		}
	}
}

// checkOutputs: a recording has what the agent wrote, byte for byte. What is missing is said, or is what a kill took.
func (w *world) checkOutputs(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	for _, s := range f.sessions {
		fail := func(what string) {
			found = append(found, violation{"output is recorded byte for byte", "session " + s.ID + ": " + what, w.about(f, s.ID, "", "")})
		}
		var wrote [][]byte
		cut := w.killedBetween(s.ID, time.Time{}, time.Now())
		for _, e := range f.agents[s.ID] {
			cut = cut || e.Kind == agentlog.Ended && w.diskFull(s.Host, e.At)
			if e.Kind == agentlog.Started {
				text, err := os.ReadFile(agentlog.OutputPath(w.hostNamed(s.Host).Home.Dir, s.ID, e.PID))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					fail(err.Error())
				}
				wrote = append(wrote, text)
			}
		}
		runs := f.runs[s.ID]
		if len(runs) < len(wrote) {
			fail(fmt.Sprintf("%d runs are recorded, %d began", len(runs), len(wrote)))
			continue
		}
		for i, text := range wrote {
			if why := runs[i].differs(text, cut); why != "" {
				fail(fmt.Sprintf("run %d: %s", i+1, why))
			}
		}
	}
	return found
}

// differs says where what is recorded is not what was written; empty: nowhere. The end of what was written may be missing
// if it was cut off: the agent or its holder was killed, or ended when there was no room to say that something is missing.
func (r recordedRun) differs(wrote []byte, cut bool) string {
	if len(r.pieces) == 1 && sha256.Sum256(r.pieces[0]) == sha256.Sum256(wrote) {
		return ""
	}
	if last := len(r.pieces) - 1; cut { // perhaps in the middle of a character
		r.pieces[last] = bytes.TrimRight(r.pieces[last], "\ufffd")
	}
	rest := wrote
	for i, piece := range r.pieces {
		at := 0
		if i > 0 { // something is missing before it, and it says so
			if at = bytes.Index(rest, piece); at < 0 {
				return fmt.Sprintf("piece %d, of %d bytes, was never written", i+1, len(piece))
			}
		}
		if !bytes.HasPrefix(rest[at:], piece) {
			same := commonPrefix(rest[at:], piece)
			return fmt.Sprintf("piece %d of %d bytes differs at %d: recorded %.60q, written %.60q (%d bytes in all, piece at %d)", i+1, len(piece), same, piece[same:], rest[at+same:], len(wrote), len(wrote)-len(rest)+at)
		}
		rest = rest[at+len(piece):]
	}
	said := len(r.pieces) > 1 && len(r.pieces[len(r.pieces)-1]) == 0
	if len(rest) > 0 && !cut && !said {
		return fmt.Sprintf("the last %d of %d bytes are missing: %.80q", len(rest), len(wrote), rest)
	}
	return ""
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// checkRuns: one agent at a time, started as often as somebody asked for it, and the last one is the one that runs.
func (w *world) checkRuns(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	most, least := map[string]int{}, map[string]int{}
	for _, a := range w.history.acts {
		switch a.kind {
		case "create_session", "resume_session":
			if a.session == "" || a.again {
				continue
			}
			if a.last() == done {
				least[a.session]++
			}
			if a.last() == done || a.unsures() > 0 {
				most[a.session]++
			}
		}
	}
	for _, s := range f.sessions {
		fail := func(rule, what string) {
			found = append(found, violation{rule, "session " + s.ID + ": " + what, w.about(f, s.ID, "", "")})
		}
		var started int
		var running agentlog.Entry
		for _, e := range f.agents[s.ID] {
			switch e.Kind {
			case agentlog.Started:
				if running.PID != 0 && !w.killedBetween(s.ID, running.At, e.At) {
					fail("one agent at a time", fmt.Sprintf("process %d began at %s while %d had not ended", e.PID, e.At, running.PID))
				}
				started, running = started+1, e
			case agentlog.Ended:
				running = agentlog.Entry{}
			}
		}
		if _, asked := most[s.ID]; asked && (started < least[s.ID] || started > most[s.ID]) {
			fail("an agent starts as often as it was asked for", fmt.Sprintf("%d times, asked for %d to %d times", started, least[s.ID], most[s.ID]))
		}
		agents, _ := f.agentsOf(s.ID)
		if s.State != "exited" && (len(agents) != 1 || agents[0] != running.PID) {
			fail("an agent's process stays", fmt.Sprintf("%v run, %d began last", agents, running.PID))
		}
	}
	return found
}

// killedBetween reports whether an agent may have been killed, which notes nothing.
func (w *world) killedBetween(session string, from, to time.Time) bool {
	for _, s := range w.sessions {
		if s.id == session && s.struck {
			return true
		}
	}
	for _, a := range w.history.acts {
		if a.session == session && a.kind == "terminate_session" && a.text == byForce && a.began.Before(to) && a.ended.After(from) {
			return true
		}
	}
	return false
}

// diskFull reports whether a host's disk was full at a time.
func (w *world) diskFull(host string, at time.Time) bool {
	for _, f := range w.history.faults {
		if f.what == diskFull && f.target == host && f.began.Before(at.Add(time.Second)) && at.Before(f.ended.Add(time.Second)) {
			return true
		}
	}
	return false
}
