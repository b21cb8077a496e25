package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// TestQueueOnRequest: a message to a session that is not idle waits or is refused, as its sender wants; what waits is
// listed, and taken back by a tool or on the page. The agent is never told of it.
func TestQueueOnRequest(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	// A hook of the person's own: after each turn nobody knows what the agent does, until it may go on.
	goOn := filepath.Join(mac.Home.Dir, "go-on")
	hook := `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"while [ ! -e ` + goOn + ` ]; do sleep 0.1; done"}]}]}}`
	must(t, os.MkdirAll(filepath.Join(mac.Home.Dir, ".claude"), 0o755))
	must(t, os.WriteFile(filepath.Join(mac.Home.Dir, ".claude", "settings.json"), []byte(hook), 0o600))
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	awaitLogs(t, w.admin, args{"session_id": s.ID, "view": "screen"}, "❯") // it says that it is idle before it has drawn

	var first, second, third messageAnswer
	must(t, w.admin.Call(t.Context(), "send_message", args{"session_id": s.ID, "message": "the first one", "when_busy": "refuse", "wait_seconds": 0}, &first))
	awaitState(t, w.admin, s.ID, "uncertain")
	w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": "not to wait", "when_busy": "refuse"},
		"nothing was typed", "send it when the session is idle")
	must(t, w.admin.Call(t.Context(), "send_message", args{"session_id": s.ID, "message": "by a tool", "wait_seconds": 0}, &second))
	must(t, w.admin.Call(t.Context(), "send_message", args{"session_id": s.ID, "message": "on the page", "when_busy": "queue", "wait_seconds": 0}, &third))

	var status struct {
		Queued []struct {
			ID   string `json:"message_id"`
			Text string `json:"text"`
		} `json:"queued"`
	}
	must(t, w.admin.Call(t.Context(), "get_session_status", args{"session_id": s.ID}, &status))
	if len(status.Queued) != 2 || status.Queued[0].ID != second.MessageID || status.Queued[1].Text != "on the page" {
		t.Fatalf("queued are %+v", status.Queued)
	}
	var taken struct {
		Message messageAnswer `json:"message"`
	}
	must(t, w.admin.Call(t.Context(), "interrupt_session", args{"session_id": s.ID, "message_id": second.MessageID}, &taken))
	if taken.Message.MessageID != second.MessageID || taken.Message.Status != "withdrawn" {
		t.Errorf("taken back is %+v", taken)
	}
	page, err := w.admin.browser.Get(t.Context(), "/sessions/"+s.ID)
	must(t, err)
	form, button := takeBack(t, page, third.MessageID)
	page, err = w.admin.browser.Press(t.Context(), form, button)
	must(t, err)
	if !strings.Contains(page.Text(), "Taken back: taken back by alice; nothing was typed") {
		t.Errorf("the page says %s", page.Text())
	}

	must(t, os.WriteFile(goOn, nil, 0o600))
	awaitState(t, w.admin, s.ID, "idle")
	w.admin.wantRefusal(t, "interrupt_session", args{"session_id": s.ID, "message_id": first.MessageID}, "was typed already")
	w.admin.send(t, s.ID, "the last one")
	awaitState(t, w.admin, s.ID, "idle")
	asked := strings.Join(w.scripts.Prompts(), "\n")
	for _, words := range []string{"not to wait", "by a tool", "on the page"} {
		if strings.Contains(asked, words) {
			t.Errorf("the agent was told %q", words)
		}
	}
	if !strings.Contains(asked, "the first one") || !strings.Contains(asked, "the last one") {
		t.Errorf("the agent was told %.200q", asked)
	}
}

// takeBack is the form on a session's page that takes back a message.
func takeBack(t *testing.T, page *harness.Page, message string) (harness.Form, harness.Button) {
	t.Helper()
	for _, form := range page.Forms() {
		if strings.Contains(form.Action.Path, message) {
			return form, form.Buttons[0]
		}
	}
	t.Fatalf("message %s is not on the page: %s", message, page.Text())
	return harness.Form{}, harness.Button{}
}
