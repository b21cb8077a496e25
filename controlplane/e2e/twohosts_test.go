package e2e

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTwoHosts enrols two machines: one listing has both, and each command reaches the right one.
func TestTwoHosts(t *testing.T) {
	w := newWorld(t)
	studio := w.addHost(t, w.admin, "studio")
	laptop := w.addHost(t, w.admin, "laptop")

	// Which machine is meant must be said once there are two.
	w.admin.wantRefusal(t, "create_session", args{"name": "nowhere"}, "host")

	onStudio := w.admin.start(t, args{"name": "web-app", "host": "studio", "working_dir": "~/web-app"})
	onLaptop := w.admin.start(t, args{"name": "web-app", "host": "laptop", "working_dir": "~/web-app"})

	where := map[string]string{}
	for _, s := range w.admin.sessions(t, nil) {
		where[s.ID] = s.Host
	}
	if diff := cmp.Diff(map[string]string{onStudio.ID: "studio", onLaptop.ID: "laptop"}, where); diff != "" {
		t.Errorf("sessions differ (-want +got):\n%s", diff)
	}
	for _, s := range w.admin.sessions(t, args{"host": "laptop"}) {
		if s.ID != onLaptop.ID {
			t.Errorf("the laptop's sessions have %+v", s)
		}
	}

	// The name alone is ambiguous, and the answer lists whom it may mean.
	w.admin.wantRefusal(t, "send_message", args{"session_id": "web-app", "message": "hello"}, onStudio.Handle, onLaptop.Handle)

	w.admin.send(t, onStudio.Handle, "fake:bash touch studio-was-here ;; text done")
	w.admin.send(t, onLaptop.Handle, "fake:bash touch laptop-was-here ;; text done")
	first, second := w.admin.awaitPrompt(t, onStudio.ID), w.admin.awaitPrompt(t, onLaptop.ID)
	open := w.admin.prompts(t, nil)
	ids := []string{first.ID, second.ID}
	if len(open) != 2 || !slices.Contains(ids, open[0].ID) || !slices.Contains(ids, open[1].ID) {
		t.Errorf("prompts: %+v, want %v", open, ids)
	}
	// A yes for the laptop is none for the studio.
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": second.ID, "response": "yes"}, nil))
	awaitFile(t, filepath.Join(laptop.Project(), "laptop-was-here"))
	wantNoFile(t, filepath.Join(studio.Project(), "studio-was-here"))
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": first.ID, "response": "yes"}, nil))
	awaitFile(t, filepath.Join(studio.Project(), "studio-was-here"))
	wantNoFile(t, filepath.Join(studio.Project(), "laptop-was-here"))

	must(t, w.admin.Call(t.Context(), "terminate_session", args{"session_id": onStudio.ID}, nil))
	awaitState(t, w.admin, onStudio.ID, "exited")
	w.awaitNoAgents(t, studio)
	awaitState(t, w.admin, onLaptop.ID, "idle")

	t.Run("one is away", func(t *testing.T) {
		must(t, laptop.Stop())
		awaitHost(t, w.admin, "laptop", false)
		w.admin.wantRefusal(t, "send_message", args{"session_id": onLaptop.ID, "message": "hello"}, "offline", "since")
		must(t, laptop.Start())
		awaitHost(t, w.admin, "laptop", true)
		w.admin.send(t, onLaptop.ID, "fake:text welcome back")
	})
}
