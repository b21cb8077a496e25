package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/harness"
)

// TestSurvival kills the programs with -9 in turns while a prompt is open. The session must not notice, the prompt
// must be answerable once, and no event may be lost or told twice.
func TestSurvival(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	w.admin.send(t, s.ID, "fake:bash echo survived > survived.txt ;; text it survived")
	asked := w.admin.awaitPrompt(t, s.ID)
	pid := agentPID(t, mac)

	t.Run("host agent", func(t *testing.T) {
		must(t, mac.Kill())
		awaitHost(t, w.admin, "studio", false)
		must(t, mac.Start())
		awaitReach(t, w.admin, s.ID)
		wantSamePrompt(t, w.admin, s.ID, asked)
	})
	t.Run("control plane", func(t *testing.T) {
		must(t, w.plane.Kill())
		must(t, w.plane.Start(t.Context()))
		awaitReach(t, w.admin, s.ID)
		wantSamePrompt(t, w.admin, s.ID, asked)
	})
	t.Run("both", func(t *testing.T) {
		must(t, mac.Kill())
		must(t, w.plane.Kill())
		must(t, w.plane.Start(t.Context()))
		must(t, mac.Start())
		awaitReach(t, w.admin, s.ID)
		wantSamePrompt(t, w.admin, s.ID, asked)
	})
	if got := agentPID(t, mac); got != pid {
		t.Errorf("the agent's process is %d, was %d", got, pid)
	}
	must(t, syscall.Kill(pid, 0))

	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, nil))
	awaitFile(t, filepath.Join(mac.Project(), "survived.txt"))
	awaitState(t, w.admin, s.ID, "idle")
	w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": asked.ID, "response": "no"}, "alice")
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: it survived")
	wantOnce(t, w.admin, s.ID, "user: fake:bash echo survived", "assistant: it survived")

	t.Run("events while the control plane is away", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:slow 3 ;; text told while nobody listened")
		must(t, w.plane.Kill())
		awaitAgent(t, mac, isIdle)
		must(t, w.plane.Start(t.Context()))
		awaitReach(t, w.admin, s.ID)
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: told while nobody listened")
		wantOnce(t, w.admin, s.ID, "line 1 of a slow answer", "line 15 of a slow answer", "user: fake:slow",
			"assistant: told while nobody listened")
	})

	t.Run("removal", func(t *testing.T) {
		h, err := findHost(t.Context(), w.admin, "studio")
		must(t, err)
		must(t, w.admin.browser.RemoveHost(t.Context(), h.ID))
		await(t, "the host agent to end", func(context.Context) (bool, error) {
			return !mac.Process().Running(), nil
		})
		if !strings.Contains(mac.Process().Output(), "removed") {
			t.Errorf("the host agent does not say that it was removed: %s", mac.Process().Output())
		}
		// The session is the host owner's, and lives on.
		must(t, syscall.Kill(pid, 0))
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": "hello"})
	})
}

// awaitAgent waits for the host's only agent to be as is says. One that just writes about itself is not seen.
func awaitAgent(t *testing.T, h *harness.Host, is func(harness.Agent) bool) harness.Agent {
	t.Helper()
	var agents []harness.Agent
	await(t, "the agent on "+h.Name, func(context.Context) (bool, error) {
		var err error
		agents, err = h.Agents()
		return len(agents) == 1 && is(agents[0]), errors.Join(err, fmt.Errorf("there are %+v", agents))
	})
	return agents[0]
}

func isIdle(a harness.Agent) bool { return a.Status == "idle" }

// agentPID is the process of the host's only agent.
func agentPID(t *testing.T, h *harness.Host) int {
	t.Helper()
	return awaitAgent(t, h, func(harness.Agent) bool { return true }).PID
}

// awaitReach waits until a session's host answers. For its first seconds a control plane that was killed shows hosts
// as they were when it was.
func awaitReach(t *testing.T, p person, ref string) {
	t.Helper()
	awaitLogs(t, p, args{"session_id": ref, "view": "screen"}, "Claude Code")
}

func wantSamePrompt(t *testing.T, p person, ref string, want prompt) {
	t.Helper()
	if diff := cmp.Diff(want, p.awaitPrompt(t, ref)); diff != "" {
		t.Errorf("the prompt differs (-before +after):\n%s", diff)
	}
}

// wantOnce wants each of these in the transcript once: neither lost nor told twice.
func wantOnce(t *testing.T, p person, ref string, words ...string) {
	t.Helper()
	text, err := p.Text(t.Context(), "get_logs", args{"session_id": ref, "lines": 500})
	must(t, err)
	for _, word := range words {
		if got := strings.Count(text, word); got != 1 {
			t.Errorf("the transcript has %q %d times: %s", word, got, text)
		}
	}
}
