package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPrompts lets the agent ask in each of its ways, and answers with the options that it really offers.
func TestPrompts(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	answer := func(t *testing.T, p prompt, response string) {
		t.Helper()
		must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": p.ID, "response": response}, nil))
	}

	t.Run("an option by its label", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:bash ./run-tests.sh ;; bash ./run-tests.sh ;; text done")
		first := w.admin.awaitPrompt(t, s.ID)
		always := slices.IndexFunc(first.Options, func(o option) bool { return o.ID == "allow_always" })
		if always < 0 {
			t.Fatalf("prompt: %+v, want an option for always", first)
		}
		answer(t, first, first.Options[always].Label)
		// The second command is the first one again, and is not asked about.
		awaitState(t, w.admin, s.ID, "idle")
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: done")
	})
	t.Run("no, with words", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:bash touch unwanted.txt ;; text I see")
		answer(t, w.admin.awaitPrompt(t, s.ID), "No, use another name")
		awaitState(t, w.admin, s.ID, "idle")
		wantNoFile(t, filepath.Join(mac.Project(), "unwanted.txt"))
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "another name")
	})
	t.Run("a new file", func(t *testing.T) {
		path := filepath.Join(mac.Project(), "written.txt")
		w.admin.send(t, s.ID, "fake:write "+path+" hello ;; text done")
		asked := w.admin.awaitPrompt(t, s.ID)
		if asked.Tool != "Write" || !strings.Contains(asked.Detail, "hello") {
			t.Errorf("prompt: %+v, want Write with its text", asked)
		}
		answer(t, asked, "yes")
		awaitFile(t, path)
		awaitState(t, w.admin, s.ID, "idle")
	})
	t.Run("two questions", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:ask2 ;; text thanks")
		asked := w.admin.awaitPrompt(t, s.ID)
		if asked.Kind != "choice" || len(asked.Questions) != 2 {
			t.Errorf("prompt: %+v, want two questions", asked)
		}
		answer(t, asked, "SQLite\nLogin, Search")
		awaitState(t, w.admin, s.ID, "idle")
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: thanks")
	})
	t.Run("interrupted", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:bash touch interrupted.txt ;; text done")
		asked := w.admin.awaitPrompt(t, s.ID)
		// Esc in a dialog is an answer, and only ever given as one.
		w.admin.wantRefusal(t, "interrupt_session", args{"session_id": s.ID}, "answer")
		answer(t, asked, "no")
		awaitState(t, w.admin, s.ID, "idle")
		wantNoFile(t, filepath.Join(mac.Project(), "interrupted.txt"))
		w.admin.send(t, s.ID, "fake:slow 600")
		awaitState(t, w.admin, s.ID, "working")
		must(t, w.admin.Call(t.Context(), "interrupt_session", args{"session_id": s.ID}, nil))
		awaitState(t, w.admin, s.ID, "idle")
	})
	t.Run("a subagent", func(t *testing.T) {
		w.admin.send(t, s.ID, "fake:task fake:bash touch by-subagent.txt ,, text sub done ;; text done")
		answer(t, w.admin.awaitPrompt(t, s.ID), "yes")
		awaitFile(t, filepath.Join(mac.Project(), "by-subagent.txt"))
	})
	t.Run("trust", func(t *testing.T) {
		dir := filepath.Join(mac.Home.Dir, "unknown")
		must(t, os.Mkdir(dir, 0o755))
		var created sessionAnswer
		must(t, w.admin.Call(t.Context(), "create_session", args{"working_dir": dir, "message": "fake:text hello"}, &created))
		asked := w.admin.awaitPrompt(t, created.Session.ID)
		if asked.Kind != "trust" {
			t.Errorf("prompt: %+v, want trust", asked)
		}
		answer(t, asked, "yes")
		awaitLogs(t, w.admin, args{"session_id": created.Session.ID}, "assistant: hello")
	})
	t.Run("plan", func(t *testing.T) {
		planned := w.admin.start(t, args{"name": "planned", "working_dir": mac.Project(), "permission_mode": "plan"})
		w.admin.send(t, planned.ID, "fake:planwrite change nothing ;; exitplan ;; text carried out")
		asked := w.admin.awaitPrompt(t, planned.ID)
		if asked.Kind != "plan" || !strings.Contains(asked.Detail, "change nothing") {
			t.Errorf("prompt: %+v, want the plan", asked)
		}
		answer(t, asked, "yes")
		awaitLogs(t, w.admin, args{"session_id": planned.ID}, "assistant: carried out")
	})
	t.Run("resumed", func(t *testing.T) {
		must(t, w.admin.Call(t.Context(), "terminate_session", args{"session_id": s.ID}, nil))
		awaitState(t, w.admin, s.ID, "exited")
		must(t, w.admin.Call(t.Context(), "resume_session", args{"session_id": s.ID}, nil))
		awaitState(t, w.admin, s.ID, "idle")
		w.admin.send(t, s.ID, "fake:text here again")
		awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: here again")
	})
}
