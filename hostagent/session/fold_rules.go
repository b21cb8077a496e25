package session

import (
	"encoding/json"
	"slices"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// toolStarting takes in that a tool is about to be called, unless a rule of the host has denied that. A denial is the
// call's result in the transcript. It is told by itself if that is a subagent's, or was read before the journal's entry,
// which the holder writes before the agent has the answer, came here.
func (f *fold) toolStarting(at time.Time, body holder.Hook, hook agentkind.Hook) {
	var verdict policy.Verdict
	if len(body.Verdict) > 0 && json.Unmarshal(body.Verdict, &verdict) != nil || verdict.Decision != policy.Denied {
		f.tools = append(f.tools, tool{hook.ToolUse, hook.Tool, string(hook.Input), hook.Agent})
		return
	}
	if hook.Agent == "" && !slices.Contains(f.failed, outgoingLine(hook.ToolUse)) {
		f.denied[hook.ToolUse] = true
		return
	}
	f.tell(at, protocol.EventEntry, protocol.Entry{
		Role: protocol.RoleNotice, Text: cut(outgoing(verdict.String()), maxPromptText), Tool: outgoingLine(hook.Tool), ToolUse: outgoingLine(hook.ToolUse),
		Input: outgoingInput(hook.Input, protocol.MaxEntryText), Subagent: outgoingLine(hook.Subagent), IsError: true,
		DeniedBy: protocol.WhereRule,
	})
}
