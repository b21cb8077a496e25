package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/harness"
)

// TestUp runs the one command that starts everything on one machine, and ends it as Ctrl-C and as kill -9 do. What it
// made must be there again, and the session must not notice.
func TestUp(t *testing.T) {
	w := startWorld(t, "up")
	here := w.hosts["here"]
	awaitHost(t, w.admin, "here", true)
	for _, line := range []string{"MCP URL:", w.plane.MCP(), "Web:", w.plane.URL()} {
		if !strings.Contains(w.plane.Process().Output(), line) {
			t.Errorf("up does not print %q: %s", line, w.plane.Process().Output())
		}
	}
	s := w.admin.start(t, args{"name": "web-app", "working_dir": "~/web-app"})
	before := w.admin.sessions(t, nil)
	pid := agentPID(t, here)

	ends := []struct {
		name string
		end  func() error
	}{{"Ctrl-C", w.plane.Stop}, {"kill -9", w.plane.Kill}}
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			must(t, end.end())
			if end.name == "Ctrl-C" {
				wantOnlySessions(t, w)
			}
			must(t, syscall.Kill(pid, 0))
			must(t, w.plane.Start(t.Context()))
			awaitReach(t, w.admin, s.ID)
			awaitState(t, w.admin, s.ID, "idle")
			if diff := cmp.Diff(before, w.admin.sessions(t, nil)); diff != "" {
				t.Errorf("sessions differ (-before +after):\n%s", diff)
			}
			if got := agentPID(t, here); got != pid {
				t.Errorf("the agent's process is %d, was %d", got, pid)
			}
			w.admin.send(t, s.ID, "fake:text still here after "+end.name)
			if strings.Contains(w.plane.Process().Output(), "First administrator") {
				t.Error("up offers to make a first administrator, and there is one")
			}
		})
	}
}

// wantOnlySessions wants that what has been stopped has left nothing but the sessions running.
func wantOnlySessions(t *testing.T, w *world) {
	t.Helper()
	leftovers, err := harness.Leftovers(w.dir)
	must(t, err)
	for _, l := range leftovers {
		agent := strings.Contains(l.Command, "--session-id")
		holder := strings.Contains(l.Command, "/hostagent holder ")
		if !agent && !holder {
			t.Errorf("still running: %d %s", l.PID, l.Command)
		}
	}
}
