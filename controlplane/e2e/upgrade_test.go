package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// TestUpgradeUnderSessions replaces the host agent's program by one elsewhere, and removes the old one, while a prompt
// is open. The session must not notice: its holder is the old program, and its hooks must find the new one.
func TestUpgradeUnderSessions(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	must(t, mac.Stop())
	old := filepath.Join(w.dir, "1.0", "hostagent")
	copyProgram(t, w.programs.HostAgent, old)
	mac.Programs.HostAgent = old
	awaitHost(t, w.admin, "studio", false)
	must(t, mac.Start())
	awaitHost(t, w.admin, "studio", true)
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	w.admin.send(t, s.ID, "fake:bash touch before.txt ;; text upgraded")
	asked := w.admin.awaitPrompt(t, s.ID)
	pid := agentPID(t, mac)

	must(t, mac.Stop())
	upgraded := filepath.Join(w.dir, "1.1", "hostagent")
	copyProgram(t, w.programs.HostAgent, upgraded)
	must(t, os.RemoveAll(filepath.Dir(old)))
	mac.Programs.HostAgent = upgraded
	must(t, mac.Start())
	awaitReach(t, w.admin, s.ID)
	wantSamePrompt(t, w.admin, s.ID, asked)
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, nil))
	awaitFile(t, filepath.Join(mac.Project(), "before.txt"))
	awaitState(t, w.admin, s.ID, "idle")

	// Nothing but a hook tells of a new prompt.
	w.admin.send(t, s.ID, "fake:bash touch after.txt ;; text done")
	asked = w.admin.awaitPrompt(t, s.ID)
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, nil))
	awaitFile(t, filepath.Join(mac.Project(), "after.txt"))
	awaitState(t, w.admin, s.ID, "idle")
	if got := agentPID(t, mac); got != pid {
		t.Errorf("the agent's process is %d, was %d", got, pid)
	}
}

// TestReboot kills all of a machine at once, holders and agents too. Its sessions are shown as what they are, with the
// prompt and what was on its way, and go on with their conversation when they are resumed.
func TestReboot(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	w.admin.send(t, s.ID, "fake:text before the reboot")
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: before the reboot")
	awaitState(t, w.admin, s.ID, "idle")
	w.admin.send(t, s.ID, "fake:bash touch never.txt ;; text never")
	asked := w.admin.awaitPrompt(t, s.ID)

	must(t, mac.Kill())
	must(t, harness.EndAll(mac.Home.Dir))
	await(t, "all to be gone", func(context.Context) (bool, error) {
		left, err := harness.Leftovers(mac.Home.Dir)
		return len(left) == 0, err
	})
	awaitHost(t, w.admin, "studio", false)
	must(t, mac.Start())
	awaitState(t, w.admin, s.ID, "exited")
	w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, "")
	if _, err := os.Stat(filepath.Join(mac.Project(), "never.txt")); err == nil {
		t.Error("a command that nobody allowed ran")
	}

	must(t, w.admin.Call(t.Context(), "resume_session", args{"session_id": s.ID}, nil))
	awaitState(t, w.admin, s.ID, "idle")
	w.admin.send(t, s.ID, "fake:bash touch resumed.txt ;; text after the reboot")
	asked = w.admin.awaitPrompt(t, s.ID) // so it asks, as it was started to
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, nil))
	awaitFile(t, filepath.Join(mac.Project(), "resumed.txt"))
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: after the reboot")
	wantOnce(t, w.admin, s.ID, "assistant: before the reboot", "assistant: after the reboot")
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(t, os.WriteFile(to, text, 0o755))
}
