package agentkind

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
)

func TestClaudeStatus(t *testing.T) {
	home := t.TempDir()
	started := time.UnixMilli(1795224187000)
	write := func(text string) {
		dir := filepath.Join(home, ".claude", "sessions")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "42.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	process := Process{PID: 42, StartedAt: started, Getenv: func(name string) string { return map[string]string{"HOME": home}[name] }}
	status := func(name string, n int) string { return string(scene(t, name).Statuses[n]) }
	changed := func(field string, value any) string {
		return string(with(t, scene(t, "bash").Statuses[0], field, value))
	}
	at := time.UnixMilli(1795224187903)
	const conversation = "00000001-0000-4000-8000-000000000000"
	tests := map[string]struct {
		text string
		want Status
		ok   bool
	}{
		"idle":                  {status("bash", 0), Status{Activity: ActivityIdle, At: at, Version: claudecli.Version, Session: conversation}, true},
		"permission":            {status("bash", 1), Status{Activity: ActivityWaiting, Dialog: "permission prompt", Asks: true, At: at, Version: claudecli.Version, Session: conversation}, true},
		"question":              {status("question", 0), Status{Activity: ActivityWaiting, Dialog: "input needed", Asks: true, At: at, Version: claudecli.Version, Session: conversation}, true},
		"busy":                  {status("interrupted-text", 0), Status{Activity: ActivityBusy, At: at, Version: claudecli.Version, Session: conversation}, true},
		"after Esc":             {status("rejected-at-terminal", 0), Status{Activity: ActivityIdle, At: at, Version: claudecli.Version, Session: conversation}, true},
		"dialog":                {status("model-picker", 0), Status{Activity: ActivityWaiting, Dialog: "dialog open", At: at, Version: claudecli.Version, Session: conversation}, true},
		"just started":          {changed("status", ""), Status{}, false},
		"of an earlier process": {changed("startedAt", 1795224100000), Status{}, false},
		"half written":          {status("bash", 0)[:300], Status{}, false},
		"new word":              {changed("status", "dreaming"), Status{}, false},
	}
	for name, test := range tests {
		write(test.text)
		got, ok := Claude().ReadStatus(process)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: %v (-want +got):\n%s", name, ok, diff)
		}
	}
	process.PID = 43
	if _, ok := Claude().ReadStatus(process); ok {
		t.Error("a process without a file has a status")
	}
}
