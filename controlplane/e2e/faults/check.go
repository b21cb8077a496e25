package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
)

// violation is something that did not hold.
type violation struct {
	rule    string
	what    string
	history []string
}

// check compares what callers were told with what is true.
func (w *world) check(f facts) []violation {
	return slices.Concat(w.checkCalls(), w.checkMessages(f), w.checkReceipts(f), w.checkKeys(f), w.checkOrder(f), w.checkPrompts(f), w.checkAnswers(f),
		w.checkEvents(f), w.checkTranscripts(f), w.checkInterrupts(f), w.checkSessions(f), w.checkRuns(f), w.checkOutputs(f), w.checkAudit(f), w.checkRecords(f), w.checkAuthority(),
		w.checkSecrets(f), w.checkVersions(f), w.checkPrograms())
}

func (w *world) checkCalls() (found []violation) {
	for _, a := range w.history.acts {
		for _, t := range a.tries {
			if t.ended.Sub(t.began) > hangs {
				found = append(found, violation{"no call hangs", a.String(), nil})
			}
			internal := strings.Contains(strings.ToLower(t.detail), "internal")
			if t.outcome != done && internal {
				found = append(found, violation{"no internal error shows", a.String(), nil})
			}
		}
	}
	return found
}

// arrivals are what an agent was told, and which of it is one message. Several that it took for one are none of theirs.
func arrivals(log []agentlog.Entry) (texts map[string][]agentlog.Entry, merged []agentlog.Entry) {
	texts = map[string][]agentlog.Entry{}
	for _, e := range log {
		switch e.Kind {
		case agentlog.Message:
			texts[e.Text] = append(texts[e.Text], e)
		case agentlog.Merged:
			merged = append(merged, e)
		}
	}
	return texts, merged
}

// sentText is a text in a session, with what has become of each attempt to send it: a repeat of one that certainly did
// nothing is another message.
type sentText struct{ session, text string }

func (f facts) sent() map[sentText][]messageRow {
	sent := map[sentText][]messageRow{}
	for _, m := range f.messages {
		at := sentText{m.Session, m.Text}
		sent[at] = append(sent[at], m)
	}
	return sent
}

// checkMessages: what is accepted arrived once, as it was sent; what failed, never; anything else at most once.
func (w *world) checkMessages(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	all := f.sent()
	for sent, attempts := range all {
		texts, _ := arrivals(f.agents[sent.session])
		got := len(texts[sent.text])
		var accepted, other int
		for _, m := range attempts {
			switch m.Status {
			case "accepted":
				accepted++
			case "failed":
			default:
				other++
			}
		}
		fail := func(rule string) {
			found = append(found, violation{rule, fmt.Sprintf("%q of session %s arrived %d times; sent as %v",
				sent.text, sent.session, got, attempts), w.about(f, sent.session, attempts[0].ID, sent.text)})
		}
		switch {
		case got > 1 || accepted+other > 1:
			fail("a message arrives at most once")
		case accepted == 1 && got != 1:
			fail("an accepted message arrived")
		case accepted+other == 0 && got != 0:
			fail("a failed message did not arrive")
		}
	}
	for session, log := range f.agents {
		texts, merged := arrivals(log)
		for text := range texts {
			if all[sentText{session, text}] == nil {
				found = append(found, violation{"nothing arrives that nobody sent", fmt.Sprintf("%s got %q", session, text), w.about(f, session, "", text)})
			}
		}
		for _, e := range merged {
			found = append(found, violation{"messages are not merged", fmt.Sprintf("%s got %q", session, e.Text), nil})
		}
	}
	for _, a := range w.history.acts {
		if a.kind == "send_message" && a.last() == done && f.messages[a.message].Text != a.text {
			found = append(found, violation{"what is answered is kept", a.String(), nil})
		}
	}
	return found
}

// checkReceipts: that a message arrived is known, unless the agent ended, or its hook could not tell: there was no room to
// keep that, or its holder was frozen.
func (w *world) checkReceipts(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	for _, m := range f.messages {
		texts, _ := arrivals(f.agents[m.Session])
		if m.Status != "not_confirmed" || strings.Contains(m.Detail, "exited") || len(texts[m.Text]) == 0 {
			continue
		}
		at, on := texts[m.Text][0].At, w.hostOf(m.Session).Name
		excused := slices.ContainsFunc(w.history.faults, func(x fault) bool {
			silences := x.target == on && (x.what == diskFull || x.what == frozenHolder)
			return silences && x.began.Before(at.Add(time.Second)) && at.Before(x.ended.Add(time.Second))
		})
		if !excused {
			found = append(found, violation{"a receipt is not missed", fmt.Sprintf("message %s to session %s: %s", m.ID, m.Session, m.Detail),
				w.about(f, m.Session, m.ID, m.Text)})
		}
	}
	return found
}

// checkOrder: of two messages, one sent after the other was answered, the first arrives first.
func (w *world) checkOrder(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	bySession := map[string][]*act{}
	for _, a := range w.history.acts {
		if a.kind == "send_message" && !a.again && a.last() == done && f.messages[a.message].Status == "accepted" {
			bySession[a.session] = append(bySession[a.session], a)
		}
	}
	for session, acts := range bySession {
		place := map[string]int{}
		for i, e := range f.agents[session] {
			if e.Kind == agentlog.Message {
				place[e.Text] = i
			}
		}
		for _, first := range acts {
			for _, second := range acts {
				if first.ended.Before(second.began) && place[first.text] > place[second.text] {
					found = append(found, violation{"messages keep their order",
						fmt.Sprintf("session %s", session), append([]string{first.String(), second.String()}, w.about(f, session, first.message, first.text)...)})
				}
			}
		}
	}
	return found
}

// checkEvents: PostgreSQL has what the host has, each once, in order.
func (w *world) checkEvents(f facts) (found []violation) {
	for _, s := range f.sessions {
		stored, kept := f.events[s.ID], f.kept[s.ID]
		fail := func(what string) {
			found = append(found, violation{"each event is stored once, in order", "session " + s.ID + ": " + what, nil})
		}
		if len(stored) != len(kept) || int64(len(stored)) != s.LastSeq {
			fail(fmt.Sprintf("%d stored, %d on the host, last_seq %d", len(stored), len(kept), s.LastSeq))
			continue
		}
		for i := range stored {
			if stored[i].Seq != int64(i+1) || stored[i].Seq != kept[i].Seq || stored[i].Kind != kept[i].Kind || !sameJSON(stored[i].Body, kept[i].Body) {
				fail(fmt.Sprintf("stored %d %s %s, on the host %d %s %s", stored[i].Seq, stored[i].Kind, stored[i].Body, kept[i].Seq, kept[i].Kind, kept[i].Body))
				break
			}
		}
	}
	return found
}

func sameJSON(a, b json.RawMessage) bool {
	var left, right any
	if json.Unmarshal(a, &left) != nil || json.Unmarshal(b, &right) != nil {
		return bytes.Equal(a, b)
	}
	return reflect.DeepEqual(left, right)
}

// checkSessions: one agent for each that lives, none for one that has ended, and nothing that nobody asked for.
func (w *world) checkSessions(f facts) (found []violation) {
	known := map[string]bool{}
	asked := map[string]bool{}
	for _, a := range w.history.acts {
		if a.kind == "create_session" && a.session != "" {
			asked[a.session] = true
		}
	}
	for _, s := range f.sessions {
		known[s.ID] = true
		agents, holders := f.agentsOf(s.ID)
		want := 1
		if s.State == "exited" {
			want = 0
		}
		if len(agents) != want || len(holders) != want {
			found = append(found, violation{"a session has one agent while it lives",
				fmt.Sprintf("session %s is %s (%s): agents %v, holders %v", s.ID, s.State, s.Evidence, agents, holders), w.about(f, s.ID, "", s.ID)})
		}
	}
	for id := range asked {
		if !known[id] {
			found = append(found, violation{"no session is lost", id, nil})
		}
	}
	for _, s := range w.sessions {
		for _, row := range f.sessions {
			if row.ID == s.id && s.lives() && row.State == "exited" {
				found = append(found, violation{"a session that nobody ended lives", fmt.Sprintf("%s: %s", s.id, row.Evidence), w.about(f, s.id, "", s.id)})
			}
		}
	}
	return found
}

// checkPrograms: no program may have stumbled.
func (w *world) checkPrograms() (found []violation) {
	for _, p := range w.parts() {
		for line := range strings.Lines(p.output()) {
			if strings.Contains(line, "panic") || strings.Contains(line, "fatal error") || strings.Contains(line, "DATA RACE") {
				found = append(found, violation{"no program stumbles", p.name + ": " + line, nil})
			}
		}
	}
	return found
}

// about is the history of one thing: calls, faults at their time, what the agent and the host's events say.
func (w *world) about(f facts, session, id, text string) (lines []string) {
	var from, to time.Time
	for _, a := range w.history.acts {
		if a.session == session && (id != "" && (a.message == id || a.prompt == id) || a.text == text && text != "" || a.kind == "terminate_session") {
			lines = append(lines, "call  "+a.String())
			if from.IsZero() {
				from = a.began
			}
			to = a.ended
		}
	}
	for _, e := range f.agents[session] {
		if text != "" && e.Text == text || e.Tool != "" && e.Tool == text || e.Kind == agentlog.Started || e.Kind == agentlog.Ended {
			lines = append(lines, fmt.Sprintf("agent %s %d %s %q %s", e.At.Format("15:04:05.000"), e.PID, e.Kind, e.Text, e.Tool))
			if from.IsZero() {
				from = e.At
			}
			to = later(to, e.At)
		}
	}
	for _, e := range f.kept[session] {
		if id != "" && strings.Contains(string(e.Body), id) || text != "" && strings.Contains(string(e.Body), text) {
			lines = append(lines, fmt.Sprintf("event %d %s %s", e.Seq, e.Kind, shorten(string(e.Body))))
		}
	}
	for _, fault := range w.history.faults {
		if fault.ended.After(from.Add(-5*time.Second)) && fault.began.Before(to.Add(10*time.Second)) {
			lines = append(lines, "fault "+fault.String())
		}
	}
	return lines
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
