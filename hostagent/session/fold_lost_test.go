package session

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestLost: what is told of a run that ended without its agent's word, by what is known of it.
func TestLost(t *testing.T) {
	t.Parallel()
	terminate := commandNote{ID: "c1", Name: commandTerminate, Actor: "Alice"}
	for name, test := range map[string]struct {
		boot, now   string
		entries     map[string]any // before the end
		holderEnded bool           // the holder says so; else it is gone
		found       bool
		reason      string
		evidence    string
		interrupted bool
	}{
		"restarted":                  {boot: "1", now: "2", found: true, reason: reasonRestart, evidence: evidenceFoundGone, interrupted: true},
		"killed":                     {boot: "1", now: "1", found: true, reason: reasonKilled, evidence: evidenceFoundGone, interrupted: true},
		"killed while watched":       {boot: "1", now: "1", reason: reasonKilled, evidence: evidenceHolderGone},
		"begun by a version before":  {now: "2", found: true, reason: "its holder went away", evidence: evidenceFoundGone, interrupted: true},
		"boots not known":            {boot: "1", found: true, reason: "its holder went away", evidence: evidenceFoundGone, interrupted: true},
		"shut down":                  {boot: "1", now: "2", holderEnded: true, reason: reasonRestart, evidence: evidenceHolderEnded, interrupted: true},
		"logged out":                 {boot: "1", now: "1", holderEnded: true, reason: evidenceHolderEnded, evidence: evidenceHolderEnded, interrupted: true},
		"terminated, then restarted": {boot: "1", now: "2", entries: map[string]any{noteCommand: terminate}, found: true, reason: "terminated by Alice", evidence: evidenceHolderGone},
		"terminated, and shut down":  {boot: "1", now: "2", entries: map[string]any{noteCommand: terminate}, holderEnded: true, reason: "terminated by Alice", evidence: "process exit, code 129"},
		"left, then restarted": {
			boot: "1", now: "2", found: true, reason: "ended at the terminal", evidence: evidenceHolderGone,
			entries: map[string]any{holder.KindHook: holder.Hook{ID: "h", Event: "SessionEnd", Payload: json.RawMessage(`{"hook_event_name":"SessionEnd","reason":"prompt_input_exit"}`)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := foldOf(t, test.now, holder.Started{PID: 1, Boot: test.boot})
			for kind, body := range test.entries {
				applyEntry(t, f, kind, body)
			}
			if test.holderEnded {
				applyEntry(t, f, holder.KindExited, holder.Exited{Code: 129, HolderEnded: true})
			} else {
				f.lost(time.Now(), test.found)
			}
			if s := f.session; s.State != protocol.StateExited || s.ExitReason != test.reason || s.Evidence != test.evidence || f.interrupted() != test.interrupted {
				t.Errorf("%s because %q by %q, interrupted %v", s.State, s.ExitReason, s.Evidence, f.interrupted())
			}
			if !test.interrupted {
				return
			}
			f.decideInterrupted(time.Now(), "Because.")
			if s := f.session; f.interrupted() || !Interrupted(s) || !strings.HasSuffix(s.Evidence, "; Because.") {
				t.Errorf("decided as %q, interrupted %v", s.Evidence, f.interrupted())
			}
		})
	}
}

// TestUntakenIsToldOnce: a message that was confirmed and lost with the agent is named after that run, and not after the
// next.
func TestUntakenIsToldOnce(t *testing.T) {
	t.Parallel()
	f := foldOf(t, "2", holder.Started{PID: 1, Boot: "1"})
	applyEntry(t, f, noteMessage, messageNote{ID: "m1", Text: "taken"})
	applyEntry(t, f, noteTyping, messageStep{ID: "m1"})
	applyEntry(t, f, noteMessage, messageNote{ID: "m2", Text: "lost"})
	applyEntry(t, f, noteTyping, messageStep{ID: "m2"})
	for _, text := range []string{"taken", "lost"} {
		payload, err := json.Marshal(map[string]string{"hook_event_name": "UserPromptSubmit", "prompt": text})
		check(t, err)
		applyEntry(t, f, holder.KindHook, holder.Hook{ID: "h", Event: "UserPromptSubmit", Payload: payload})
	}
	f.observe(f.reading("t.jsonl"), []agentkind.Line{{Kind: agentkind.LineUser, Text: "taken"}}, 10, time.Now())
	f.lost(time.Now(), true)
	applyEntry(t, f, holder.KindStarted, holder.Started{PID: 2, Boot: "2"})
	f.lost(time.Now(), true)
	var told []string
	for _, e := range f.told {
		if entry, err := protocol.Decode[protocol.Entry](e); e.Kind == protocol.EventEntry && err == nil && entry.Role == protocol.RoleNotice {
			told = append(told, entry.Text)
		}
	}
	if want := []string{"The agent was ended before it took this message up: lost"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// foldOf is a session whose first run has begun.
func foldOf(t *testing.T, boot string, started holder.Started) *fold {
	t.Helper()
	f := newFold(birth{Session: protocol.NewSessionID(), Agent: "claude", AgentVersion: "2.1.329", At: time.Now()}, agentkind.Claude(), policy.Default())
	f.bootNow = boot
	applyEntry(t, f, holder.KindStarted, started)
	return f
}

func applyEntry(t *testing.T, f *fold, kind string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	check(t, err)
	check(t, f.apply(holder.Entry{N: f.position.Journal + 1, At: time.Now(), Kind: kind, Body: text}))
}
