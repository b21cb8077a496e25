package session

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// evidence feeds a fold, second by second.
type evidence struct {
	t    *testing.T
	fold *fold
	at   time.Time
	n    uint64

	background int // tasks that the next hook tells of
}

const conversation = "11111111-1111-4111-8111-111111111111"

func newEvidence(t *testing.T) *evidence {
	at := time.Now().UTC().Truncate(time.Millisecond)
	b := birth{Session: conversation, Agent: "claude", At: at}
	e := &evidence{t: t, fold: newFold(b, agentkind.Claude(), policy.Default()), at: at}
	e.hook("SessionStart", false)
	e.status(agentkind.ActivityIdle, conversation)
	return e
}

func (e *evidence) pass(d time.Duration) { e.at = e.at.Add(d); e.fold.tick(e.at) }

func (e *evidence) hook(event string, held bool) holder.HookID {
	e.t.Helper()
	e.n++
	id := holder.HookID(fmt.Sprint("hook", e.n))
	payload, err := json.Marshal(map[string]any{
		"hook_event_name": event, "session_id": conversation, "tool_name": "Bash", "tool_input": map[string]string{"command": "touch x"},
		"background_tasks": make([]struct{}, e.background),
	})
	check(e.t, err)
	e.journal(holder.KindHook, holder.Hook{ID: id, Event: event, Held: held, Payload: payload})
	return id
}

func (e *evidence) journal(kind string, body any) {
	e.t.Helper()
	text, err := json.Marshal(body)
	check(e.t, err)
	e.n++
	check(e.t, e.fold.apply(holder.Entry{N: e.n, At: e.at, Kind: kind, Body: text}))
}

// status is the agent's own file, changed now.
func (e *evidence) status(activity agentkind.Activity, conversation string) {
	e.fold.observeStatus(agentkind.Status{Activity: activity, Asks: true, At: e.at, Session: conversation}, e.at)
}

// again is a look at the file, which has not changed.
func (e *evidence) again() { e.fold.observeStatus(e.fold.status, e.at) }

func (e *evidence) is(state protocol.State, confidence protocol.Confidence, words string) {
	e.t.Helper()
	if s := e.fold.session; s.State != state || s.Confidence != confidence || s.Evidence != words {
		e.t.Errorf("%s (%s) by %q, want %s (%s) by %q", s.State, s.Confidence, s.Evidence, state, confidence, words)
	}
}

// keeps checks whether a message that comes now waits for the one before.
func (e *evidence) keeps(want bool) {
	e.t.Helper()
	if got := e.fold.deaf(); (got == keepsMessageWords) != want {
		e.t.Errorf("at %s a message waits since %q", e.fold.session.State, got)
	}
}

// TestConfidence: each kind of evidence is relied on as far as it goes, and where two contradict each other for longer
// than one lags behind the other, the state is uncertain and names both.
func TestConfidence(t *testing.T) {
	for name, play := range map[string]func(*evidence){
		"hook": func(e *evidence) {
			e.pass(time.Second)
			e.hook("UserPromptSubmit", false)
			e.is(protocol.StateWorking, protocol.ConfidenceHigh, "hook UserPromptSubmit")
		},
		"status file": func(e *evidence) {
			e.pass(time.Second)
			e.status(agentkind.ActivityBusy, conversation)
			e.is(protocol.StateWorking, protocol.ConfidenceMedium, "status file")
		},
		"busy though the turn is over": func(e *evidence) {
			e.hook("UserPromptSubmit", false)
			e.status(agentkind.ActivityBusy, conversation)
			e.pass(time.Second)
			e.hook("Stop", false)
			e.again()
			e.is(protocol.StateIdle, protocol.ConfidenceHigh, "hook Stop")
			e.pass(statusSettles)
			e.again()
			e.is(protocol.StateIdle, protocol.ConfidenceHigh, "hook Stop")
			e.pass(time.Millisecond)
			e.is(protocol.StateUncertain, protocol.ConfidenceLow, "hook Stop says that the turn is over, status file says busy")
			e.status(agentkind.ActivityIdle, conversation)
			e.is(protocol.StateIdle, protocol.ConfidenceMedium, "status file")
		},
		"busy with background agents after the turn": func(e *evidence) {
			e.status(agentkind.ActivityBusy, conversation)
			e.pass(time.Second)
			e.background = 2
			e.hook("Stop", false)
			e.pass(2 * statusSettles)
			e.again()
			e.is(protocol.StateWorking, protocol.ConfidenceMedium, "status file says busy, with 2 background tasks")
			e.background = 0
			e.hook("Stop", false)
			e.status(agentkind.ActivityIdle, conversation)
			e.pass(2 * statusSettles)
			e.is(protocol.StateIdle, protocol.ConfidenceHigh, "hook Stop")
		},
		"busy again after the turn": func(e *evidence) {
			e.hook("Stop", false)
			e.pass(time.Second)
			e.status(agentkind.ActivityBusy, conversation)
			e.pass(2 * statusSettles)
			e.is(protocol.StateWorking, protocol.ConfidenceMedium, "status file")
		},
		"idle before a message that was kept": func(e *evidence) {
			e.status(agentkind.ActivityBusy, conversation)
			e.pass(time.Second)
			e.hook("Stop", false)
			e.pass(time.Second)
			e.hook("UserPromptSubmit", false)
			e.again()
			e.keeps(true)
			e.pass(time.Second)
			e.status(agentkind.ActivityIdle, conversation)
			e.keeps(true)
			e.pass(statusSettles - time.Millisecond)
			e.again()
			e.is(protocol.StateWorking, protocol.ConfidenceHigh, "hook UserPromptSubmit")
			e.status(agentkind.ActivityBusy, conversation)
			e.keeps(false)
			e.pass(time.Second)
			e.status(agentkind.ActivityIdle, conversation) // Esc
			e.is(protocol.StateIdle, protocol.ConfidenceMedium, "status file")
		},
		"idle after a message that was never begun with": func(e *evidence) {
			e.hook("Stop", false)
			e.pass(time.Second)
			e.hook("UserPromptSubmit", false)
			e.pass(time.Second)
			e.status(agentkind.ActivityIdle, conversation)
			e.pass(statusSettles)
			e.again()
			e.keeps(false)
			e.is(protocol.StateIdle, protocol.ConfidenceMedium, "status file")
		},
		"status of another conversation": func(e *evidence) {
			e.hook("UserPromptSubmit", false)
			e.status(agentkind.ActivityBusy, conversation)
			e.pass(time.Second)
			e.status(agentkind.ActivityIdle, "22222222-2222-4222-8222-222222222222")
			e.pass(statusMissing)
			e.is(protocol.StateIdle, protocol.ConfidenceMedium, "status file")
			e.pass(time.Millisecond)
			e.is(protocol.StateUncertain, protocol.ConfidenceLow, "status file is about another conversation than the hooks")
			e.status(agentkind.ActivityIdle, conversation)
			e.is(protocol.StateIdle, protocol.ConfidenceMedium, "status file")
		},
		"no status file while it works": func(e *evidence) {
			e.pass(time.Second)
			e.hook("UserPromptSubmit", false)
			e.fold.missStatus(e.at)
			e.pass(statusMissing)
			e.fold.missStatus(e.at)
			e.is(protocol.StateWorking, protocol.ConfidenceHigh, "hook UserPromptSubmit")
			e.pass(time.Millisecond)
			e.fold.missStatus(e.at)
			e.is(protocol.StateWorking, protocol.ConfidenceLow, "hook UserPromptSubmit")
			e.status(agentkind.ActivityBusy, conversation)
			e.is(protocol.StateWorking, protocol.ConfidenceHigh, "hook UserPromptSubmit")
		},
		"idle while a question's hook waits": func(e *evidence) {
			e.hook("UserPromptSubmit", false)
			id := e.hook("PermissionRequest", true)
			e.pass(time.Second)
			e.status(agentkind.ActivityIdle, conversation)
			e.is(protocol.StateWaiting, protocol.ConfidenceHigh, "hook PermissionRequest")
			e.pass(statusSettles)
			e.again()
			e.pass(statusSettles)
			settled := e.fold.prompts[protocol.PromptID(id)].settlement
			if settled == nil || settled.Outcome != protocol.OutcomeWithdrawn || settled.Where != protocol.WhereNobody ||
				settled.Evidence != "status file says idle, though the hook of the question waits" {
				e.t.Errorf("settled as %+v", settled)
			}
			if e.fold.session.State != protocol.StateIdle {
				e.t.Errorf("the session is %s", e.fold.session.State)
			}
		},
		"hook of a question ended, dialog open": func(e *evidence) {
			e.hook("UserPromptSubmit", false)
			id := e.hook("PermissionRequest", true)
			e.status(agentkind.ActivityWaiting, conversation)
			e.pass(time.Second)
			e.journal(holder.KindHookClosed, holder.HookClosed{ID: id})
			e.pass(statusSettles)
			if settled := e.fold.prompts[protocol.PromptID(id)].settlement; settled == nil || settled.Where != protocol.WhereNobody {
				e.t.Errorf("settled as %+v", settled)
			}
			e.is(protocol.StateWaiting, protocol.ConfidenceHigh, "hook PermissionRequest")
		},
		"hook of a question that comes late": func(e *evidence) {
			e.pass(time.Second)
			e.status(agentkind.ActivityWaiting, conversation)
			e.pass(statusSettles)
			e.again()
			e.is(protocol.StateWaiting, protocol.ConfidenceMedium, "status file:")
			e.journal(noteDialog, dialogNote{
				ID: "dialog", Name: "permission prompt", Unreported: true, Prompt: &protocol.Prompt{ID: "dialog", Kind: protocol.PromptDialog},
			})
			e.hook("PermissionRequest", true)
			if settled := e.fold.prompts["dialog"].settlement; settled == nil || settled.Outcome != protocol.OutcomeWithdrawn || settled.Where != protocol.WhereNobody {
				e.t.Errorf("settled as %+v", settled)
			}
			if open := e.fold.openPrompts(); len(open) != 1 || open[0].Kind != protocol.PromptPermission {
				e.t.Errorf("%d prompts are open", len(open))
			}
		},
		"hook of a question that may not wait": func(e *evidence) {
			id := e.hook("PermissionRequest", false)
			p := e.fold.prompts[protocol.PromptID(id)]
			if p == nil || len(p.Options) > 0 || p.AllowsText || !strings.Contains(p.Detail, "[Answer this at the terminal: too many questions wait already.]") {
				e.t.Errorf("the prompt is %+v", p)
			}
			e.is(protocol.StateWaiting, protocol.ConfidenceHigh, "hook PermissionRequest")
		},
		"process exit": func(e *evidence) {
			e.journal(holder.KindExited, holder.Exited{Code: 1})
			e.is(protocol.StateExited, protocol.ConfidenceHigh, "process exit, code 1")
		},
		"holder gone": func(e *evidence) {
			e.fold.lost(e.at, false)
			e.is(protocol.StateExited, protocol.ConfidenceLow, "its holder went away")
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEvidence(t)
			e.t = t
			play(e)
		})
	}
}

// slowStopHook gives the person a hook of his own at the end of a turn, which takes until go is called.
func (r *rig) slowStopHook() (goOn func()) {
	r.t.Helper()
	r.personsHook("Stop", "while [ ! -e "+r.path("go-on")+" ]; do sleep 0.1; done")
	return func() { check(r.t, os.WriteFile(r.path("go-on"), nil, 0o600)) }
}

// personsHook is a hook in the person's own settings.
func (r *rig) personsHook(event, command string) {
	r.t.Helper()
	settings := `{"hooks":{"` + event + `":[{"hooks":[{"type":"command","command":"` + command + `"}]}]}}`
	check(r.t, os.MkdirAll(filepath.Join(r.home, ".claude"), 0o700))
	check(r.t, os.WriteFile(filepath.Join(r.home, ".claude", "settings.json"), []byte(settings), 0o600))
}

// TestSlowStopHook: the person's own hook at the end of a turn keeps the agent busy after ours has said that the turn is
// over. What the agent does then nobody knows.
func TestSlowStopHook(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	goOn := r.slowStopHook()
	id := r.create("")
	r.send(id, "fake:text the end")
	r.told(id, protocol.StateUncertain, "hook Stop says that the turn is over, status file says busy")
	goOn()
	if s := r.await(id, protocol.StateIdle); s.Evidence != evidenceStatus || s.Confidence != protocol.ConfidenceMedium {
		t.Errorf("idle (%s) by %q", s.Confidence, s.Evidence)
	}
}

// TestMessageDuringSlowStopHook: the agent takes what is submitted during that hook at once, and begins with it later. It
// is not idle in between, and the next message does not become one turn with it.
func TestMessageDuringSlowStopHook(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	goOn := r.slowStopHook()
	id := r.create("")
	r.send(id, "fake:text one")
	r.told(id, protocol.StateIdle, "hook Stop")
	r.atTerminal(id, "fake:wait 2 ;; text two")
	r.untilTrue("the text", func() bool { return strings.Contains(r.screen(id), "text two") })
	r.atTerminal(id, "\r")
	s, err := r.session(id)
	check(t, err)
	r.untilTrue("the text's hook", func() (kept bool) {
		s.view(func(f *fold) { kept = f.keepsMessage() })
		return kept
	})
	before := len(r.events(id))
	message := r.send(id, "fake:text three")
	r.untilTrue("word of why it waits", func() bool { return r.toldToWait(id, message, keepsMessageWords) })
	goOn()
	if got := r.message(id, message); got.Status != protocol.MessageAccepted {
		t.Errorf("the message became %v", got)
	}
	var last protocol.Event
	for _, answer := range []string{"two", "three"} {
		last = r.until(id, answer, func(e protocol.Event) bool {
			entry := decode[protocol.Entry](r, e)
			return e.Kind == protocol.EventEntry && entry.Role == protocol.RoleAssistant && entry.Text == answer
		})
	}
	for _, e := range r.events(id)[before:last.Seq] {
		if e.Kind != protocol.EventSession {
			continue
		}
		if s := decode[protocol.Session](r, e); s.State == protocol.StateIdle && s.Evidence == evidenceStatus {
			t.Errorf("event %d: idle by the %s before the last turn was over", e.Seq, s.Evidence)
		}
	}
}

// TestStatusFileGone: without the agent's file about itself nothing would show that its turn was interrupted.
func TestStatusFileGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:wait 60")
	r.await(id, protocol.StateWorking)
	s, err := r.session(id)
	check(t, err)
	status, _ := s.files()
	check(t, os.Remove(status))
	r.until(id, "less confidence", func(e protocol.Event) bool {
		if e.Kind != protocol.EventSession {
			return false
		}
		told := decode[protocol.Session](r, e)
		return told.State == protocol.StateWorking && told.Confidence == protocol.ConfidenceLow
	})
}
