package main

import (
	"encoding/json"
	"fmt"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
	"switchboard/hostagent/protocol"
)

// told counts what a session's transcript tells, in words that fit what its agent noted.
func (f facts) told(session string) map[string]int {
	told := map[string]int{}
	for _, e := range f.events[session] {
		var entry protocol.Entry
		if e.Kind != string(protocol.EventEntry) || json.Unmarshal(e.Body, &entry) != nil {
			continue
		}
		switch entry.Role {
		case protocol.RoleUser:
			told["message "+entry.Text]++
		case protocol.RoleToolCall:
			told["call "+entry.ToolUse]++
		case protocol.RoleToolResult:
			told["result "+entry.ToolUse]++
		}
	}
	return told
}

// checkTranscripts: all that the agent did is told, and once. What it was at when it ended may not be.
func (w *world) checkTranscripts(f facts) (found []violation) {
	if w.plan.real {
		return nil
	}
	for session, log := range f.agents {
		told := f.told(session)
		for i, e := range log {
			fact := ""
			switch {
			case e.Kind == agentlog.Message:
				fact = "message " + e.Text
			case e.Kind == agentlog.Asked:
				fact = "call " + e.Tool
			case decides(e):
				fact = "result " + e.Tool
			default:
				continue
			}
			if n := told[fact]; n != 1 && (n != 0 || !w.lastWords(session, log, i)) {
				found = append(found, violation{"a transcript tells all, once", fmt.Sprintf("session %s: %q is told %d times", session, fact, n),
					w.about(f, session, "", e.Text+e.Tool)})
			}
		}
	}
	return found
}

// lastWords reports whether an entry is the last of its process, which may have ended before it did what it noted.
func (w *world) lastWords(session string, log []agentlog.Entry, i int) bool {
	ended := w.killedBetween(session, time.Time{}, time.Now())
	for _, e := range log[i+1:] {
		if e.PID == log[i].PID && e.Kind != agentlog.Ended {
			return false
		}
		ended = true
	}
	return ended
}
