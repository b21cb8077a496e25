package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// TestHostPolicy: what the owner saves is in force without a restart, is shown to whoever asks as what it is, and holds
// while the host agent is killed.
func TestHostPolicy(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	savePolicy(t, mac, `{"permission_modes": ["manual", "plan"], "deny": ["Bash(touch denied*)"], "quiet_hours": []}`)
	await(t, "what the host offers now", func(ctx context.Context) (bool, error) {
		text, err := w.admin.Text(ctx, "list_hosts", nil)
		return err == nil && strings.Contains(text, "plan") && !strings.Contains(text, "acceptEdits"), err
	})
	w.admin.wantRefusal(t, "create_session", args{"working_dir": mac.Project(), "permission_mode": "acceptEdits"}, "policy", "acceptEdits")

	// A file with a mistake changes nothing.
	savePolicy(t, mac, `{"deny": []`)
	w.admin.send(t, "web-app", "fake:bash true && touch denied1")
	awaitLogs(t, w.admin, args{"session_id": "web-app"}, "denied by a rule on the host")
	awaitState(t, w.admin, "web-app", "idle")

	w.admin.send(t, "web-app", "fake:slow 4 ;; fake:bash touch denied2 ;; text behind it")
	must(t, mac.Kill())
	killed := time.Now()
	savePolicy(t, mac, `{"deny": ["Bash(touch denied*)"], "quiet_hours": [{"from": "00:00", "to": "24:00"}]}`)
	await(t, "the agent to go on alone", func(context.Context) (bool, error) { return time.Since(killed) > 8*time.Second, nil })
	must(t, mac.Start())
	await(t, "the second denial", func(ctx context.Context) (bool, error) {
		text, err := w.admin.Text(ctx, "get_logs", args{"session_id": "web-app"})
		return err == nil && strings.Count(text, "denied by a rule on the host") == 2, err
	})
	wantNoFile(t, filepath.Join(mac.Project(), "denied1"))
	wantNoFile(t, filepath.Join(mac.Project(), "denied2"))

	w.admin.wantRefusal(t, "send_message", args{"session_id": "web-app", "message": "good night"}, "quiet hours")
	w.admin.wantRefusal(t, "create_session", args{"working_dir": mac.Project()}, "quiet hours")
	savePolicy(t, mac, `{"people": ["somebody-else"]}`)
	await(t, "nobody else to be served", func(ctx context.Context) (bool, error) {
		err := w.admin.Call(ctx, "send_message", args{"session_id": "web-app", "message": "hello"}, nil)
		return err != nil && strings.Contains(err.Error(), "names"), nil
	})
	must(t, os.Remove(policyFile(mac)))
	await(t, "the defaults to be back", func(ctx context.Context) (bool, error) {
		return w.admin.Call(ctx, "terminate_session", args{"session_id": "web-app"}, nil) == nil, nil
	})
}

func policyFile(h *harness.Host) string {
	return filepath.Join(h.Home.Dir, ".switchboard", "host", "policy.json")
}

func savePolicy(t *testing.T, h *harness.Host, text string) {
	t.Helper()
	must(t, os.WriteFile(policyFile(h), []byte(text), 0o600))
}
