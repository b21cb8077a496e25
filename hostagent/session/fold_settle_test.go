package session

import (
	"encoding/json"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestTranscriptBeforeJournal: that a hook decided may be read in the transcript before the journal has said that the
// answer was ours.
func TestTranscriptBeforeJournal(t *testing.T) {
	for name, test := range map[string]struct {
		answered bool
		want     protocol.Where
	}{
		"our answer":                 {true, protocol.WhereRemote},
		"a hook of the person's own": {false, protocol.WhereRule},
	} {
		t.Run(name, func(t *testing.T) {
			at := time.Now()
			f := newFold(birth{Session: protocol.NewSessionID(), Agent: "claude", At: at}, agentkind.Claude(), policy.Default())
			n := uint64(0)
			journal := func(kind string, body any) {
				t.Helper()
				text, err := json.Marshal(body)
				check(t, err)
				n++
				check(t, f.apply(holder.Entry{N: n, At: at, Kind: kind, Body: text}))
			}
			hook := func(event string, held bool) {
				t.Helper()
				payload := recordedHook(t, "bash", event, nil)
				journal(holder.KindHook, holder.Hook{ID: holder.HookID(event), Event: event, Held: held, Payload: payload})
			}
			hook("PreToolUse", false)
			hook("PermissionRequest", true)
			journal(noteAnswer, answerNote{Prompt: "PermissionRequest", Command: "c1", Actor: "Alice", Answer: protocol.Answer{Option: "allow"}})
			f.observe(f.reading("t.jsonl"), []agentkind.Line{{Kind: agentkind.LineToolResult, At: at, ToolUse: "toolu_0001", Text: "ok", Decided: agentkind.DecidedHook}}, 1, at)
			if test.answered {
				journal(holder.KindHookAnswered, holder.HookAnswered{ID: "PermissionRequest", Reply: "{}"})
			}
			f.tick(at.Add(2 * statusSettles))
			settled := f.prompts["PermissionRequest"].settlement
			if settled == nil || settled.Where != test.want || settled.Outcome != protocol.OutcomeAllowed {
				t.Errorf("settled %+v, want by %s", settled, test.want)
			}
		})
	}
}
