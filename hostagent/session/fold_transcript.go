package session

import (
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// lastTranscript is the one that the agent writes now.
func (f *fold) lastTranscript() string {
	if n := len(f.transcripts); n > 0 {
		return f.transcripts[n-1]
	}
	return f.position.Transcript
}

// nextTranscript goes on to the next transcript, if there is one. The one before must have been read to its end.
func (f *fold) nextTranscript() bool {
	if len(f.transcripts) == 0 {
		return false
	}
	f.position.Transcript = f.transcripts[0]
	f.position.Offset = f.offsets[f.position.Transcript]
	f.transcripts = f.transcripts[1:]
	return true
}

// observeLine takes in one line of the agent's transcript, which ends at offset.
func (f *fold) observeLine(lines []agentkind.Line, offset int64, now time.Time) {
	f.position.Offset = offset
	f.offsets[f.position.Transcript] = offset
	for _, line := range lines {
		if line.At.IsZero() {
			line.At = now
		}
		line.At = line.At.UTC().Truncate(time.Millisecond)
		f.tell(line.At, protocol.EventEntry, f.entryOf(line))
		switch line.Kind {
		case agentkind.LineToolResult:
			f.decided(line)
		case agentkind.LineInterrupted:
			f.does(protocol.StateIdle, "transcript: interrupted", line.At)
		}
	}
	f.derive(now)
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

func (f *fold) entryOf(line agentkind.Line) protocol.Entry {
	text, cut := clip(outgoing(line.Text), protocol.MaxEntryText)
	entry := protocol.Entry{
		Role: roles[line.Kind], Text: text, Truncated: cut, Tool: outgoingLine(line.Tool), ToolUse: outgoingLine(line.ToolUse),
		Input: outgoingInput(line.Input, protocol.MaxEntryText), IsError: line.IsError,
	}
	if f.denied[line.ToolUse] && line.Kind == agentkind.LineToolResult {
		delete(f.denied, line.ToolUse)
		entry.DeniedBy = protocol.WhereRule
	}
	if line.Kind == agentkind.LineUser {
		entry.Message = f.messageOf(line.Text)
	}
	return entry
}
