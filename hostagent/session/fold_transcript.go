package session

import (
	"cmp"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// observe takes in one line of one of the agent's transcripts, which ends at end. What was told before, by whichever
// version, is not told again.
func (f *fold) observe(r *reading, lines []agentkind.Line, end int64, now time.Time) {
	if end > r.counted {
		f.count(r, lines)
		r.counted, r.past = end, 0
	}
	if end <= r.told {
		return
	}
	r.told = end
	if r.file == f.position.Transcript {
		f.position.Offset = end
	}
	for _, line := range lines {
		if line.Kind != agentkind.LineUse && !f.copied(line) {
			f.observeLine(r, line, now)
		}
	}
	f.derive(now)
}

// copied: a conversation that was branched off begins with a copy of the lines before. Where they were told already, they
// are not told again.
func (f *fold) copied(line agentkind.Line) bool { return line.Forked != "" && f.knows(line.Forked) }

func (f *fold) observeLine(r *reading, line agentkind.Line, now time.Time) {
	if line.At.IsZero() {
		line.At = now
	}
	line.At = line.At.UTC().Truncate(time.Millisecond)
	f.read = r
	entry := f.entryOf(r, line)
	f.tell(line.At, protocol.EventEntry, entry)
	f.callTold(entry)
	switch {
	case line.Kind == agentkind.LineToolResult:
		f.decided(line)
	case line.Kind == agentkind.LineInterrupted && r.subagent.ID == "":
		f.does(protocol.StateIdle, "transcript: interrupted", line.At)
	}
}

// callsKept is of how many calls it is remembered that they were told, and of how many that they failed. A subagent begins
// to write soon after its call, and of a denial the journal tells at about the same time.
const callsKept = 100

func (f *fold) callTold(e protocol.Entry) {
	switch {
	case e.Role == protocol.RoleToolCall:
		f.called = keepCall(f.called, e.ToolUse)
	case e.Role == protocol.RoleToolResult && e.IsError && e.DeniedBy == "":
		f.failed = keepCall(f.failed, e.ToolUse)
	}
}

func keepCall(calls []string, call string) []string {
	return append(calls[max(0, len(calls)+1-callsKept):], call)
}

// roles says who speaks in a line.
var roles = map[agentkind.LineKind]protocol.Role{
	agentkind.LineUser:        protocol.RoleUser,
	agentkind.LineAssistant:   protocol.RoleAssistant,
	agentkind.LineToolCall:    protocol.RoleToolCall,
	agentkind.LineToolResult:  protocol.RoleToolResult,
	agentkind.LineNotice:      protocol.RoleNotice,
	agentkind.LineInterrupted: protocol.RoleNotice,
}

// anySubagent is the kind of a subagent whose kind nothing tells.
const anySubagent = "subagent"

func (f *fold) entryOf(r *reading, line agentkind.Line) protocol.Entry {
	text, cut := clip(outgoing(line.Text), protocol.MaxEntryText)
	entry := protocol.Entry{
		Role: roles[line.Kind], Text: text, Truncated: cut, Tool: outgoingLine(line.Tool), ToolUse: outgoingLine(line.ToolUse),
		Input: outgoingInput(line.Input, protocol.MaxEntryText), IsError: line.IsError,
	}
	if f.denied[line.ToolUse] && line.Kind == agentkind.LineToolResult {
		delete(f.denied, line.ToolUse)
		entry.DeniedBy = protocol.WhereRule
	}
	entry.Usage = r.owed(line)
	if s := r.subagent; s.ID != "" || line.Sidechain {
		entry.Subagent = outgoingLine(cmp.Or(s.Kind, line.Subagent, f.subagents[s.ID], anySubagent))
		entry.SubagentID, entry.SubagentCall = s.ID, outgoingLine(s.Call)
		return entry
	}
	if line.Kind == agentkind.LineUser {
		entry.Message = f.messageOf(line.Text)
	}
	return entry
}
