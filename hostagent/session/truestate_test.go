package session

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// told waits until the session has been told to be in this state by this evidence.
func (r *rig) told(id protocol.SessionID, state protocol.State, evidence string) {
	r.t.Helper()
	r.until(id, string(state)+" by "+evidence, func(e protocol.Event) bool {
		if e.Kind != protocol.EventSession {
			return false
		}
		s := decode[protocol.Session](r, e)
		return s.State == state && strings.HasPrefix(s.Evidence, evidence)
	})
}

// TestTurnFails: a turn that the API ended is over, and the state says by what.
func TestTurnFails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.environ = append(r.environ, "CLAUDE_CODE_MAX_RETRIES=1")
	r.restart()
	for _, test := range []struct{ script, evidence string }{
		{"fake:error 400", "hook StopFailure: unknown"},
		{"fake:error 401", "hook StopFailure: authentication_failed"},
		{"fake:error 429", "hook StopFailure: rate_limit"},
		{"fake:error 500", "hook StopFailure: server_error"},
		{"fake:error 529", "hook StopFailure: server_error"},
	} {
		id := r.create("")
		r.send(id, test.script)
		r.told(id, protocol.StateIdle, test.evidence)
		r.entry(id, "the error", func(e protocol.Entry) bool { return e.Role == protocol.RoleNotice && e.IsError })
		// The input box now has a hint in it, which is no draft.
		if got := r.message(id, r.send(id, "go on")); got.Status != protocol.MessageAccepted {
			t.Errorf("after %s, the next message became %+v", test.script, got)
		}
	}
}

// TestRetries: while the CLI tries a broken API again, it works, and can be interrupted.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"fake:error 500", "fake:error 429"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			retries(t, script)
		})
	}
}

func retries(t *testing.T, script string) {
	r := newRig(t)
	id := r.create("")
	r.send(id, script)
	r.await(id, protocol.StateWorking)
	r.untilTrue("quiet", func() bool { s, err := r.session(id); return err == nil && time.Since(s.state().StateAt) > livelyFor })
	if s, err := r.session(id); err != nil || s.state().State != protocol.StateWorking {
		t.Errorf("while it tries again the session is %s", s.state().State)
	}
	_, err := r.Interrupt(t.Context(), protocol.InterruptSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.await(id, protocol.StateIdle)
}

// TestCompactingIsWork: the agent works while it sums the conversation up, also where that was not asked for by a
// message.
func TestCompactingIsWork(t *testing.T) {
	at := time.Now()
	f := newFold(birth{Session: protocol.NewSessionID(), Agent: "claude", At: at}, agentkind.Claude(), policy.Default())
	for n, want := range []struct {
		scene, event string
		state        protocol.State
	}{{"bash", "SessionStart", protocol.StateIdle}, {"compact", "PreCompact", protocol.StateWorking}, {"bash", "Stop", protocol.StateIdle}} {
		at = at.Add(time.Second)
		payload := recordedHook(t, want.scene, want.event, nil)
		body, err := json.Marshal(holder.Hook{ID: holder.HookID(want.event), Event: want.event, Payload: payload})
		check(t, err)
		check(t, f.apply(holder.Entry{N: uint64(n + 1), At: at, Kind: holder.KindHook, Body: body}))
		f.tick(at)
		if got := f.session; n > 0 && (got.State != want.state || !strings.HasPrefix(got.Evidence, "hook "+want.event)) {
			t.Errorf("after %s the session is %s by %s, want %s", want.event, got.State, got.Evidence, want.state)
		}
	}
}

// TestCompaction: what was summed up is told, and the agent is idle afterwards. That it worked may pass too quickly to
// be told when the machine is busy.
func TestCompaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "something to remember")
	r.entry(id, "the answer", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	r.await(id, protocol.StateIdle)
	r.atTerminal(id, "/compact")
	r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(id), "❯ /compact") })
	r.atTerminal(id, "\r")
	r.entry(id, "the compaction", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleNotice && strings.Contains(e.Text, "summary")
	})
	r.await(id, protocol.StateIdle)
}

// TestAutoCompaction: a full context is summed up within the turn, which is work, and told as what it is.
func TestAutoCompaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.environ = append(r.environ, "CLAUDE_CODE_AUTO_COMPACT_WINDOW=100000")
	r.restart()
	id := r.create("")
	// The CLI compacts nothing that is too short to be worth it, whatever the model says of its tokens.
	for _, text := range []string{"first " + strings.Repeat("words ", 2000), "fake:bash ls ;; text found", "fake:full 99000 ;; text much", "fake:text more"} {
		r.message(id, r.send(id, text))
		r.await(id, protocol.StateIdle)
	}
	r.told(id, protocol.StateWorking, "hook PreCompact: auto")
	r.told(id, protocol.StateWorking, "hook PostCompact")
	r.entry(id, "the compaction", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleNotice && strings.Contains(e.Text, "summary")
	})
	r.await(id, protocol.StateIdle)
}

// TestLoginInASession: a login that a person begins in the middle of a session is shown to whoever looks from afar, and
// is over when it is over at the terminal.
func TestLoginInASession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.atTerminal(id, "/login")
	r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(id), "❯ /login") })
	r.atTerminal(id, "\r")
	p := r.prompt(id, 1)
	if p.Kind != protocol.PromptDialog || p.Title != "The agent asks to be logged in" || len(p.Options) > 0 || p.AllowsText ||
		!strings.Contains(p.Detail, "Select login method:") || !strings.Contains(p.Detail, "[Answer this at the terminal: a login needs") {
		t.Errorf("the login is told as %+v", p)
	}
	r.await(id, protocol.StateWaiting)
	if got := r.answerAtTerminal(p, "\x1b"); got.Where != protocol.WhereTerminal {
		t.Errorf("settled as %+v", got)
	}
	r.await(id, protocol.StateIdle)
}

// TestEscapeAfterQuiet: a person presses Esc when the host agent looks only now and then, since nothing has happened
// for long.
func TestEscapeAfterQuiet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:bash tail -f /dev/null > made")
	check(t, r.answer(r.prompt(id, 1), protocol.Answer{Option: protocol.OptionAllow}))
	r.await(id, protocol.StateWorking)
	begun := time.Now()
	r.untilTrue("quiet", func() bool { return time.Since(begun) > livelyFor+time.Second })
	if s, err := r.session(id); err != nil || s.state().State != protocol.StateWorking {
		t.Errorf("a command that runs for long makes the session %s", s.state().State)
	}
	pressed := time.Now()
	r.atTerminal(id, "\x1b")
	s := r.await(id, protocol.StateIdle)
	if s.Evidence != evidenceStatus && !strings.HasPrefix(s.Evidence, "transcript") {
		t.Errorf("idle by %q", s.Evidence)
	}
	t.Logf("noticed after %s", time.Since(pressed).Round(time.Millisecond))
}

// TestEnds: each end of the program has its own reason.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end    func(*rig, protocol.SessionID)
		reason string
	}{
		"exit at the terminal": {func(r *rig, id protocol.SessionID) {
			r.atTerminal(id, "/exit")
			r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(id), "❯ /exit") })
			r.atTerminal(id, "\r")
		}, "ended at the terminal"},
		"crash":                    {func(r *rig, id protocol.SessionID) { r.signal(id, syscall.SIGKILL) }, "process exit, signal: killed"},
		"ended by another program": {func(r *rig, id protocol.SessionID) { r.signal(id, syscall.SIGTERM) }, "process exit, code 143"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.create("")
			test.end(r, id)
			if s := r.await(id, protocol.StateExited); s.ExitReason != test.reason || !strings.HasPrefix(s.Evidence, "process exit") {
				t.Errorf("exited by %q because %q, want %q", s.Evidence, s.ExitReason, test.reason)
			}
		})
	}
}

func (r *rig) signal(id protocol.SessionID, signal syscall.Signal) {
	r.t.Helper()
	client, err := holder.Dial(r.t.Context(), filepath.Join(r.dir, string(id)))
	check(r.t, err)
	defer client.Close()
	check(r.t, client.Signal(r.t.Context(), signal))
}

// TestDialogsBeforeTheStart: each has its own state, and none is taken for an idle agent.
func TestDialogsBeforeTheStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings string // ~/.claude.json
		state    protocol.State
		evidence string
	}{
		"key not approved":                {`{"hasCompletedOnboarding":true,"projects":{"PROJECT":{"hasTrustDialogAccepted":true}}}`, protocol.StateWaiting, "screen: API key dialog"},
		"never logged in, and no network": {`{}`, protocol.StateExited, "process exit, code 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			check(t, replaceFile(filepath.Join(r.home, ".claude.json"), []byte(strings.ReplaceAll(test.settings, "PROJECT", r.project))))
			id := r.start(protocol.CreateSessionRequest{WorkingDir: r.project})
			if s := r.await(id, test.state); s.Evidence != test.evidence {
				t.Errorf("%s by %q, want %q", s.State, s.Evidence, test.evidence)
			}
			if test.state != protocol.StateWaiting {
				return
			}
			if p := r.prompt(id, 1); p.Kind != protocol.PromptDialog || len(p.Options) > 0 || !strings.Contains(p.Detail, "[Answer this at the terminal") {
				t.Errorf("it is told as %+v", p)
			}
		})
	}
}
