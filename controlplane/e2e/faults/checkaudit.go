package main

import (
	"fmt"
	"os/exec"
	"strings"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
)

// checkAudit: a record precedes each act, and the chain is whole.
func (w *world) checkAudit(f facts) (found []violation) {
	command := exec.Command(w.programs.ControlPlane, "audit", "--data", w.planeDir()+"/data") //nolint:noctx // short
	command.Env = []string{"DATABASE_URL=" + w.postgres.URL()}
	if out, err := command.CombinedOutput(); err != nil {
		found = append(found, violation{"the audit chain is whole", string(out), nil})
	}
	if w.plan.real {
		return found
	}
	allowed := map[string]time.Time{} // of a command, or of an answer to a prompt
	for _, row := range f.audit {
		if row.Allowed {
			for _, key := range []string{row.Command, row.Action + " " + row.Target} {
				if _, known := allowed[key]; !known {
					allowed[key] = row.Committed
				}
			}
		}
	}
	precedes := func(key string, at time.Time, what string) {
		if recorded, ok := allowed[key]; !ok || recorded.After(at) {
			found = append(found, violation{"a record precedes each act", fmt.Sprintf("%s at %s, its record was committed at %s", what, at, recorded), nil})
		}
	}
	for _, m := range f.messages {
		texts, _ := arrivals(f.agents[m.Session])
		for _, e := range texts[m.Text] {
			precedes(m.ID, e.At, "message "+m.ID)
		}
	}
	for _, p := range f.prompts {
		for _, e := range f.agents[p.Session] {
			byHook := e.Kind == agentlog.Denied || e.Kind == agentlog.Allowed && e.Text == "hook"
			if byHook && strings.Contains(p.Detail, e.Tool) {
				precedes("prompt.answer "+p.ID, e.At, "prompt "+p.ID)
			}
		}
	}
	return found
}

// recorded names the calls that change something as the audit chain does.
var recorded = map[string]string{
	"send_message": "session.message", "create_session": "session.create", "terminate_session": "session.terminate",
	"resume_session": "session.resume", "interrupt_session": "session.interrupt", "respond_to_prompt": "prompt.answer",
}

// checkRecords: each call that changes something, allowed or refused, has one record, and each says who, what and where.
// A call without an answer may have one.
func (w *world) checkRecords(f facts) (found []violation) {
	type deed struct{ action, session string }
	least, most, got := map[deed]int{}, map[deed]int{}, map[deed]int{}
	for _, a := range w.history.acts {
		action := recorded[a.kind]
		if action == "" {
			continue
		}
		d := deed{action, a.session}
		if a.kind == "create_session" { // each call makes a new one, until it finds that it repeats another
			d.session = ""
		}
		most[d] += len(a.tries)
		least[d] += len(a.tries) - a.unsures()
	}
	commands := map[string]int64{}
	for _, row := range f.audit {
		d := deed{row.Action, row.Session}
		if row.Action == recorded["create_session"] {
			d.session = ""
		}
		got[d]++
		fail := func(what string) {
			found = append(found, violation{"a record says who did what where", fmt.Sprintf("%s: %+v", what, row), nil})
		}
		if first, known := commands[row.Command]; known && row.Command != "" {
			fail(fmt.Sprintf("its command has record %d already", first))
		}
		commands[row.Command] = row.Seq
		nobody, nowhere := row.User == "" || row.Client == "" || row.At.IsZero(), row.Host == "" || row.Session == ""
		if row.Command != "" && (nobody || nowhere && row.Allowed) { // where what is not there was meant to be, nobody knows
			fail("something is missing")
		}
	}
	for d, n := range most {
		if got[d] < least[d] || got[d] > n {
			found = append(found, violation{"each call has one record", fmt.Sprintf("%s in session %q: %d records of %d calls, %d of which were answered",
				d.action, d.session, got[d], n, least[d]), nil})
		}
	}
	return found
}

// checkAuthority: what was taken back is taken by nobody.
func (w *world) checkAuthority() (found []violation) {
	taken := map[string]time.Time{}
	for _, r := range w.revoked {
		taken[r.token] = r.at
	}
	for _, a := range w.history.acts {
		at, revoked := taken[a.token]
		if revoked && a.last() == done && a.began.Sub(at) > revokedWithin {
			found = append(found, violation{"a token that was taken back lets nobody in", fmt.Sprintf("taken back at %s: %s", at.Format("15:04:05.000"), a), nil})
		}
	}
	return found
}

// checkVersions: after an upgrade the new host agent is the one that speaks.
func (w *world) checkVersions(f facts) (found []violation) {
	for _, h := range w.hosts {
		if got := f.versions[h.Name]; h.version != "" && got != h.version {
			found = append(found, violation{"an upgrade takes over", fmt.Sprintf("%s runs %q, last upgraded to %q", h.Name, got, h.version), nil})
		}
	}
	return found
}
