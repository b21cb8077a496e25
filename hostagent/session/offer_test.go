package session

import (
	"slices"
	"testing"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestOptionsThatPolicyForbids are not offered; and what was offered once stays, since answers are bound to it.
func TestOptionsThatPolicyForbids(t *testing.T) {
	t.Parallel()
	strict := policy.Default()
	strict.Modes = []string{"manual", "plan"}
	kept := readRecording(t, "testdata/TestPlan.json")
	for name, test := range map[string]struct {
		rules policy.Policy
		want  []string
	}{
		"allowed":   {policy.Default(), []string{"allow", "accept_edits", "deny"}},
		"forbidden": {strict, []string{"allow", "deny"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &telling{recording: kept, fold: newFold(kept.Birth, agentkind.Claude(), test.rules)}
			w.tellAll(t, w.Journal)
			told := firstPrompt(t, w.events())
			if got := optionIDs(told); !slices.Equal(got, test.want) {
				t.Errorf("offers %v, want %v", got, test.want)
			}
			if told.Digest != told.Sum() {
				t.Error("the digest does not cover what is offered")
			}
			asked := slices.IndexFunc(w.steps, func(s step) bool { return s.Events[0].Kind == protocol.EventPrompt })
			for _, later := range []policy.Policy{policy.Default(), strict} {
				again := newFold(kept.Birth, agentkind.Claude(), later)
				again.replay(kept.Journal, w.steps[:asked+1], func(err error) { check(t, err) })
				if p := again.openPrompt(); p == nil || p.Digest != told.Digest {
					t.Errorf("after a restart the prompt is %+v, want it as it was told", p)
				}
			}
		})
	}
}

func firstPrompt(t *testing.T, events []protocol.Event) protocol.Prompt {
	t.Helper()
	at := slices.IndexFunc(events, func(e protocol.Event) bool { return e.Kind == protocol.EventPrompt })
	p, err := protocol.Decode[protocol.Prompt](events[at])
	check(t, err)
	return p
}

func optionIDs(p protocol.Prompt) []string {
	var ids []string
	for _, o := range p.Options {
		ids = append(ids, o.ID)
	}
	return ids
}
