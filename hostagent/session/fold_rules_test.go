package session

import (
	"encoding/json"
	"testing"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestDenialAndItsResult: that a rule denied a call is told once, whether the journal says so before its result is read
// in the transcript, or after, or to a later host agent only.
func TestDenialAndItsResult(t *testing.T) {
	t.Parallel()
	denied, err := json.Marshal(policy.Verdict{Decision: policy.Denied, Rule: "Bash(rm *)"})
	check(t, err)
	body, err := json.Marshal(holder.Hook{ID: "h2", Event: "PreToolUse", Verdict: denied, Payload: json.RawMessage(
		`{"hook_event_name":"PreToolUse","session_id":"c1","tool_name":"Bash","tool_input":{"command":"rm x"},"tool_use_id":"t1"}`)})
	check(t, err)
	hook := holder.Entry{N: 2, At: time.Now(), Kind: holder.KindHook, Body: body}
	const result = `{"type":"user","timestamp":"2026-11-29T12:00:02Z","message":{"role":"user","content":[{"type":"tool_result",` +
		`"content":"hook error: no","is_error":true,"tool_use_id":"t1"}]}}`
	for name, test := range map[string]struct {
		happen func(p *paper)
		want   protocol.Role
	}{
		"before": {func(p *paper) {
			p.readAll(hook)
			p.write(p.conversation, result)
			p.readAll()
		}, protocol.RoleToolResult},
		"after": {func(p *paper) {
			p.write(p.conversation, result)
			p.readAll()
			p.readAll(hook)
		}, protocol.RoleNotice},
		"after a restart": {func(p *paper) {
			p.write(p.conversation, result)
			p.readAll()
			check(t, p.log.close())
			p.open()
			p.readAll(hook)
		}, protocol.RoleNotice},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPaper(t)
			p.readAll(p.begin(1, p.conversation))
			test.happen(p)
			var told []protocol.Entry
			for _, e := range p.entries() {
				if e.DeniedBy != "" {
					told = append(told, e)
				}
			}
			if len(told) != 1 || told[0].Role != test.want || told[0].ToolUse != "t1" || !told[0].IsError {
				t.Errorf("told %+v, want one %s, in %+v", told, test.want, p.entries())
			}
		})
	}
}
