package session

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"switchboard/controlplane/e2e/harness"
	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// killAll is what a loss of power does: holder and agent are gone, and no host agent has seen it.
func (r *rig) killAll(ids ...protocol.SessionID) {
	r.t.Helper()
	check(r.t, r.Close())
	for _, id := range ids {
		r.signalHolder(id, syscall.SIGKILL)
		r.agentGone(id)
		r.untilTrue("the holder's end", func() bool { return !holder.Alive(filepath.Join(r.dir, string(id))) })
	}
}

// signalHolder signals the session's holder, and the one of an earlier run, which may not have ended quite.
func (r *rig) signalHolder(id protocol.SessionID, signal syscall.Signal) {
	r.t.Helper()
	processes, err := harness.Leftovers(r.dir)
	check(r.t, err)
	found := false
	for _, p := range processes {
		if strings.HasSuffix(p.Command, " holder "+filepath.Join(r.dir, string(id))) {
			found = true
			if err := syscall.Kill(p.PID, signal); !errors.Is(err, syscall.ESRCH) {
				check(r.t, err)
			}
		}
	}
	if !found {
		r.t.Fatalf("session %s has no holder among %v", id, processes)
	}
}

// agentGone waits until no agent has the session's conversation open: it ends when its terminal goes.
func (r *rig) agentGone(id protocol.SessionID) {
	r.t.Helper()
	r.untilTrue("the agent's end", func() bool { return len(r.writersOf(agentkind.Claude(), string(id))) == 0 })
}

// startAgain is the host agent's next start, on a machine that was started again if boot is new, and under this policy.
func (r *rig) startAgain(boot string, change func(*policy.Policy)) {
	r.t.Helper()
	r.Manager = r.newManager()
	r.Manager.Boot = boot
	change(&r.Policy)
	check(r.t, r.Open(r.t.Context()))
	r.AfterRestart(r.t.Context())
}

func resumes(p *policy.Policy) { p.AfterRestart = policy.RestartResume }
func offers(*policy.Policy)    {}

// TestReboot: in the midst of work, in a dialog, with a message that waits, and before any message.
func TestReboot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy func(*policy.Policy)
		boot   string
		reason string
	}{
		"resumed": {resumes, "another boot", "the machine was restarted"},
		"offered": {offers, "another boot", "the machine was restarted"},
		"killed":  {resumes, "", "its holder was killed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			asking, fresh := r.create("acceptEdits"), r.create("")
			r.send(asking, "fake:slow 8 ;; fake:ask ;; fake:bash touch made")
			r.await(asking, protocol.StateWorking)
			waiting := r.send(asking, "wait for your turn") // it is typed, and the CLI keeps it until after the question
			p := r.prompt(asking, 1)
			r.killAll(asking, fresh)
			r.startAgain(test.boot, test.policy)

			if got := r.settled(p); got.Outcome != protocol.OutcomeWithdrawn || got.Where != protocol.WhereNobody || got.Evidence != evidenceFoundGone {
				t.Errorf("the open prompt became %+v, want it withdrawn by nobody", got)
			}
			// Whether the CLI had confirmed that it keeps the message is a matter of moments. What is lost is said.
			switch got := r.message(asking, waiting); got.Status {
			case protocol.MessageNotConfirmed:
			case protocol.MessageAccepted:
				r.entry(asking, "the loss of it", func(e protocol.Entry) bool {
					return e.Role == protocol.RoleNotice && strings.HasSuffix(e.Text, "before it took this message up: wait for your turn")
				})
			default:
				t.Errorf("the message that waited became %+v", got)
			}
			for _, id := range []protocol.SessionID{asking, fresh} {
				ended := decode[protocol.Session](r, r.until(id, "its end", isState(protocol.StateExited)))
				if ended.ExitReason != test.reason || ended.Evidence != evidenceFoundGone {
					t.Errorf("ended because %q by %q, want %q", ended.ExitReason, ended.Evidence, test.reason)
				}
				if name == "offered" {
					r.wantEnded(id, "; Resume the session to go on.")
					continue
				}
				r.await(id, protocol.StateIdle)
				r.told(id, protocol.StateStarting, "resumed after ")
				r.entry(id, "the notice", func(e protocol.Entry) bool {
					return e.Role == protocol.RoleNotice && strings.HasSuffix(e.Text, ", by this host's policy")
				})
				r.send(id, "fake:text still here")
				r.entry(id, "an answer", func(e protocol.Entry) bool { return e.Text == "still here" })
			}
			if exists(r.path("made")) {
				t.Error("what nobody allowed was done")
			}
			if s, err := r.session(asking); err != nil || s.state().PermissionMode != "acceptEdits" {
				t.Errorf("the permission mode is %s: %v", s.state().PermissionMode, err)
			}
			checkGapFree(t, r.events(asking))
			checkNoDoubles(r, r.events(asking))
			if text := r.terminalText(asking); name != "offered" && strings.Count(text, "No conversation found") > 0 {
				t.Errorf("the terminal shows\n%s", text)
			}
		})
	}
}

func (r *rig) wantEnded(id protocol.SessionID, evidence string) protocol.Session {
	r.t.Helper()
	s, err := r.session(id)
	check(r.t, err)
	state := s.state()
	if state.State != protocol.StateExited || !strings.Contains(state.Evidence, evidence) {
		r.t.Errorf("session is %s by %q, want it ended and %q", state.State, state.Evidence, evidence)
	}
	return state
}

func (r *rig) terminalText(id protocol.SessionID) string {
	r.t.Helper()
	reply, err := r.Terminal(r.t.Context(), protocol.ReadTerminalRequest{Session: id, Lines: 200})
	check(r.t, err)
	return strings.Join(reply.Lines, "\n")
}

// TestOrderlyShutdown: the machine tells everything to end, and the holder has the time to say so.
func TestOrderlyShutdown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "remember me")
	r.entry(id, "the answer", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	r.await(id, protocol.StateIdle)
	r.signalHolder(id, syscall.SIGTERM)
	if s := r.await(id, protocol.StateExited); s.Evidence != evidenceHolderEnded || s.ExitReason != evidenceHolderEnded {
		t.Errorf("ended because %q by %q", s.ExitReason, s.Evidence)
	}
	check(t, r.Close())
	r.startAgain("another boot", resumes)
	r.told(id, protocol.StateStarting, "resumed after a restart of the machine")
	r.await(id, protocol.StateIdle)
	r.untilTrue("its conversation", func() bool { return strings.Contains(r.screen(id), "remember me") })
}

// TestNotRevived: what was ended by somebody, or by itself, stays so; and what the policy does not let be started is
// not, with the reason.
func TestNotRevived(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	terminated, exited, interrupted := r.create(""), r.create(""), r.create("acceptEdits")
	_, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: terminated})
	check(t, err)
	r.atTerminal(exited, "/exit")
	r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(exited), "❯ /exit") })
	r.atTerminal(exited, "\r")
	r.await(exited, protocol.StateExited)
	r.killAll(interrupted)
	before := len(r.onDisk(terminated)) + len(r.onDisk(exited))

	r.startAgain("boot 2", func(p *policy.Policy) {
		resumes(p)
		p.Modes = []string{"manual"}
	})
	ended := r.wantEnded(interrupted, "Not resumed by this host's policy")
	if !strings.Contains(ended.Evidence, "permission mode") || ended.ExitReason != reasonRestart {
		t.Errorf("not resumed: %+v", ended)
	}
	if after := len(r.onDisk(terminated)) + len(r.onDisk(exited)); after != before {
		t.Errorf("ended sessions have %d events, before %d", after, before)
	}
	// It was decided: another start, under a policy that would let it, changes nothing.
	check(t, r.Close())
	r.startAgain("boot 3", resumes)
	for _, id := range []protocol.SessionID{terminated, exited, interrupted} {
		r.wantEnded(id, "")
	}
	// A person may.
	_, err = r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: interrupted})
	check(t, err)
	r.await(interrupted, protocol.StateIdle)
}

// TestRevivalRefused has one row for each thing that the policy may have against it.
func TestRevivalRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*rig, *policy.Policy)
		want   string
	}{
		"root":        {func(r *rig, p *policy.Policy) { p.Roots = []string{r.dir} }, "is not under one"},
		"agent":       {func(_ *rig, p *policy.Policy) { p.Agents = []string{"other"} }, "does not allow the agent"},
		"quiet hours": {func(_ *rig, p *policy.Policy) { p.QuietHours = []policy.QuietHours{{From: 0, To: 24 * 60}} }, "quiet hours"},
		"person":      {func(_ *rig, p *policy.Policy) { p.People = []string{"Bob"} }, "only for those"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.create("")
			r.killAll(id)
			r.startAgain("boot 2", func(p *policy.Policy) {
				resumes(p)
				test.change(r, p)
			})
			r.wantEnded(id, test.want)
			r.entry(id, "the notice", func(e protocol.Entry) bool {
				return strings.HasPrefix(e.Text, "Ended: the machine was restarted. Not resumed") && strings.Contains(e.Text, test.want)
			})
		})
	}
}

// TestRevivalRoom: of more sessions than the policy lets live at once, the oldest come back.
func TestRevivalRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := r.create(""), r.create("")
	r.killAll(first, second)
	r.startAgain("boot 2", func(p *policy.Policy) {
		resumes(p)
		p.MaxEachPerson = 1
	})
	r.await(first, protocol.StateIdle)
	r.wantEnded(second, "as many as its policy allows one person")
}

// TestRevivalIsBounded: a session that is interrupted again and again is left alone in the end.
func TestRevivalIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	for n := range revivals {
		r.killAll(id)
		r.startAgain("boot "+string(rune('a'+n)), resumes)
		r.await(id, protocol.StateIdle)
	}
	r.killAll(id)
	r.startAgain("boot z", resumes)
	r.wantEnded(id, "it was resumed 3 times within")
	check(t, r.Close())
	r.startAgain("boot zz", resumes)
	r.wantEnded(id, "it was resumed 3 times within")
	runs := 0
	entries, err := holder.ReadJournal(filepath.Join(r.dir, string(id)), 0)
	check(t, err)
	for _, e := range entries {
		if e.Kind == holder.KindStarted {
			runs++
		}
	}
	if runs != 1+revivals {
		t.Errorf("it ran %d times, want %d", runs, 1+revivals)
	}
}

// TestKilledWhileReviving: the host agent is killed between finding the loss and deciding on it; its next start decides.
func TestKilledWhileReviving(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.killAll(id)
	r.Manager = r.newManager()
	r.Manager.Boot = "boot 2"
	check(t, r.Open(t.Context()))
	r.await(id, protocol.StateExited)
	check(t, r.Close()) // nothing was decided
	r.startAgain("boot 3", resumes)
	r.await(id, protocol.StateIdle)
}

// TestLossWhileWatched: what happens while the host agent looks on is no restart, and nothing is resumed by itself.
func TestLossWhileWatched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.signalHolder(id, syscall.SIGKILL)
	if s := r.await(id, protocol.StateExited); s.ExitReason != reasonKilled || s.Evidence != evidenceHolderGone {
		t.Errorf("ended because %q by %q", s.ExitReason, s.Evidence)
	}
	check(t, r.Close())
	r.startAgain("boot 2", resumes)
	r.wantEnded(id, evidenceHolderGone)
}

// TestOneWriter: no agent is started on a conversation that another process has open.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "hello")
	r.entry(id, "the answer", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	r.killAll(id)
	other := r.plainCLI("--resume", string(id))
	other.idle()
	r.startAgain("boot 2", resumes)
	r.wantEnded(id, "and only one may write it")
	_, err := r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
	if err == nil || !strings.Contains(err.Error(), other.named()) {
		t.Errorf("resumed beside another process: %v, want %s in it", err, other.named())
	}
	other.end()
	_, err = r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.await(id, protocol.StateIdle)
}
