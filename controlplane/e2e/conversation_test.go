package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/project"
)

// TestConversation plays the sentences that Switchboard was made for.
func TestConversation(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")

	// "What sessions are running?"
	if got := w.admin.sessions(t, nil); len(got) != 0 {
		t.Fatalf("sessions before the first: %+v", got)
	}
	webApp := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	if got := w.admin.sessions(t, nil); len(got) != 1 || got[0].ID != webApp.ID || got[0].Host != "studio" {
		t.Fatalf("sessions: %+v, want web-app on studio", got)
	}

	// "Tell the web-app session to run the tests."
	w.admin.send(t, "web-app", "Please run the tests")

	// "Any sessions stuck waiting for input?"
	asked := w.admin.awaitPrompt(t, "web-app")
	if asked.Kind != "permission" || asked.Tool != "Bash" || !strings.Contains(asked.Detail, "./run-tests.sh") {
		t.Errorf("prompt: %+v, want permission for Bash to run ./run-tests.sh", asked)
	}
	awaitState(t, w.admin, "web-app", "waiting")

	// "Tell it yes."
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"session_id": "web-app", "response": "yes"}, nil))
	awaitFile(t, filepath.Join(mac.Project(), project.TestsRan))
	awaitState(t, w.admin, "web-app", "idle")
	if left := w.admin.prompts(t, nil); len(left) != 0 {
		t.Errorf("prompts after the answer: %+v", left)
	}

	for _, view := range []string{"transcript", "screen", "terminal"} {
		awaitLogs(t, w.admin, args{"session_id": "web-app", "view": view}, "1 test passed")
	}

	// "Tell it to ask me which database to use." "SQLite."
	w.admin.send(t, webApp.Handle, "Ask me which database to use")
	question := w.admin.awaitPrompt(t, webApp.Handle)
	if question.Kind != "choice" {
		t.Errorf("prompt: %+v, want a choice", question)
	}
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": question.ID, "response": "SQLite"}, nil))
	awaitState(t, w.admin, webApp.ID, "idle")
	awaitLogs(t, w.admin, args{"session_id": webApp.ID}, "SQLite")

	// "Tell it no."
	w.admin.send(t, "web-app", "fake:bash touch forbidden.txt ;; text I did not")
	w.admin.awaitPrompt(t, "web-app")
	must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"session_id": "web-app", "response": "no"}, nil))
	awaitState(t, w.admin, "web-app", "idle")
	wantNoFile(t, filepath.Join(mac.Project(), "forbidden.txt"))

	changes, err := w.admin.Text(t.Context(), "get_changes", args{"session_id": "web-app"})
	must(t, err)
	if !strings.Contains(changes, project.TestsRan) {
		t.Errorf("changes do not name %s: %s", project.TestsRan, changes)
	}

	// "Terminate that session."
	must(t, w.admin.Call(t.Context(), "terminate_session", args{"session_id": "web-app"}, nil))
	awaitState(t, w.admin, webApp.ID, "exited")
	w.awaitNoAgents(t, mac)
}

// TestReadingTools calls every tool that only reads, in both eras of the protocol and without any handshake.
func TestReadingTools(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	calls := []struct {
		tool      string
		arguments args
		want      string
	}{
		{"list_sessions", args{}, s.Handle},
		{"list_sessions", args{"host": "studio", "state": "idle"}, s.Handle},
		{"get_session_status", args{"session_id": s.Handle}, s.ID},
		{"get_logs", args{"session_id": s.ID}, ""},
		{"check_prompts", args{}, ""},
		{"search", args{"query": "web-app"}, s.Handle},
		{"fetch", args{"id": s.Handle}, s.ID},
		{"list_hosts", args{}, "studio"},
		{"wait_for_session", args{"session_id": s.ID, "until": "idle", "timeout_seconds": 5}, s.ID},
		{"get_changes", args{"session_id": s.ID}, "main"},
		{"list_templates", args{}, ""},
		{"get_profile", args{}, "alice"},
	}
	w.bothEras(t, w.admin, func(t *testing.T, p person) {
		for _, call := range calls {
			got, err := p.Text(t.Context(), call.tool, call.arguments)
			expect(t, err)
			if !strings.Contains(got, call.want) {
				t.Errorf("%s answered %s, want %q in it", call.tool, got, call.want)
			}
		}
	})
	t.Run("without a handshake", func(t *testing.T) {
		for _, call := range calls {
			answer := w.raw(t, w.admin, call.tool, call.arguments)
			if answer.Status != 200 || answer.Result.IsError || !strings.Contains(answer.Text(), call.want) {
				t.Errorf("%s answered %d %s, want %q in it", call.tool, answer.Status, answer.Body, call.want)
			}
		}
	})
}
