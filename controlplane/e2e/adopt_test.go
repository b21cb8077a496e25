package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// atHost runs the host agent's program as the host's owner does.
func atHost(t *testing.T, h *harness.Host, arguments ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), h.Programs.HostAgent, arguments...)
	cmd.Env, cmd.Dir = h.Environment(), h.Project()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAdopt: a conversation from a plain terminal is found, taken over with the person's leave, and is a session for
// everybody whom it concerns; and it comes back after everything was killed, as the host's policy has it.
func TestAdopt(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	bob := w.invite(t, "bob")
	must(t, mac.Stop())
	if out, err := atHost(t, mac, "adopt"); err == nil || !strings.Contains(out, "no host agent runs here") {
		t.Errorf("without a host agent: %v: %s", err, out)
	}
	awaitHost(t, w.admin, "studio", false)
	must(t, mac.Start())
	awaitHost(t, w.admin, "studio", true)
	if out, err := atHost(t, mac, "adopt"); err != nil || !strings.Contains(out, "There is no conversation here") {
		t.Errorf("with nothing to adopt: %v: %s", err, out)
	}

	plain := inTerminal(t, mac, mac.Home.CLI, "--permission-mode", "manual", "remember the blue door")
	plain.await(t, "You said: remember the blue door")
	agent := awaitAgent(t, mac, isIdle)
	conversation := agent.Session
	out, err := atHost(t, mac, "adopt")
	if err != nil || !strings.Contains(out, conversation) || !strings.Contains(out, fmt.Sprintf("%d (idle)", agent.PID)) || !strings.Contains(out, "remember the blue door") {
		t.Errorf("listed: %v: %s", err, out)
	}
	if out, err := atHost(t, mac, "adopt", conversation[:8]); err == nil || !strings.Contains(out, "--take-over") {
		t.Errorf("without leave: %v: %s", err, out)
	}

	// The person is asked, says yes, and goes on where he was.
	here := inTerminal(t, mac, mac.Programs.HostAgent, "adopt", conversation[:8])
	here.await(t, "End it? [y/N]")
	_, err = here.file.WriteString("y\r")
	must(t, err)
	here.await(t, "remember the blue door")
	_ = plain.cmd.Wait() // it was ended
	plain.read.Wait()
	must(t, plain.file.Close())

	await(t, "the session", func(ctx context.Context) (bool, error) {
		var list sessionList
		err := w.admin.Call(ctx, "list_sessions", nil, &list)
		return len(list.Sessions) == 1 && list.Sessions[0].State == "idle", err
	})
	s := w.admin.sessions(t, nil)[0]
	if s.Host != "studio" || !strings.HasPrefix(s.Handle, "web-app_") {
		t.Errorf("adopted as %+v", s)
	}
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "remember the blue door")
	w.admin.send(t, s.ID, "and the red one")
	here.await(t, "and the red one")
	here.leave(t)
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "user: and the red one")
	wantOnce(t, w.admin, s.ID, "user: remember the blue door", "user: and the red one")
	if list := bob.sessions(t, nil); len(list) > 0 {
		t.Errorf("another person sees %+v", list)
	}
	page, err := w.admin.browser.Get(t.Context(), "/audit")
	must(t, err)
	if !strings.Contains(page.Text(), "session.adopt") {
		t.Errorf("the audit log does not tell of the adoption: %s", page.Text())
	}

	t.Run("restart", func(t *testing.T) {
		savePolicy(t, mac, `{"after_restart": "resume"}`)
		must(t, mac.Kill())
		must(t, harness.EndAll(mac.Home.Dir))
		must(t, mac.Start())
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "by this host's policy")
		awaitState(t, w.admin, s.ID, "idle")
		w.admin.send(t, s.ID, "still there?")
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "still there?")
		page, err := w.admin.browser.Get(t.Context(), "/audit")
		must(t, err)
		if !strings.Contains(page.Text(), "the host's policy") {
			t.Errorf("the audit log does not tell who resumed the session: %s", page.Text())
		}
	})
	t.Run("removed", func(t *testing.T) {
		h, err := findHost(t.Context(), w.admin, "studio")
		must(t, err)
		must(t, w.admin.browser.RemoveHost(t.Context(), h.ID))
		await(t, "the host agent to end", func(context.Context) (bool, error) { return !mac.Process().Running(), nil })
		if out, err := atHost(t, mac, "adopt"); err == nil || !strings.Contains(out, "removed by an administrator") {
			t.Errorf("on a removed host: %v: %s", err, out)
		}
	})
}
