package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/hostagent/policy"
)

// TestPolicyCheck: each answer names the line that decides, and its exit status says the same.
func TestPolicyCheck(t *testing.T) {
	dir := t.TempDir()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	path := filepath.Join(dir, "policy.json")
	text := `{
  "deny": [
    "WebFetch",
    "Bash(git push *)"
  ],
  "ask": ["Edit(.env)"],
  "people": ["alice"],
  "quiet_hours": [{"from": "22:00", "to": "23:59"},
                  {"from": "00:00", "to": "07:00"}]
}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	day := []string{"check", "start", "--at", "2026-11-21T12:00:00Z"}
	t.Setenv("TZ", "UTC")
	tests := map[string]struct {
		args   []string
		want   []string
		denied bool
	}{
		"denied":            {[]string{"check", "tool", "Bash", "cd x && git push"}, []string{"denied: ", "Bash(git push *)", path + ", line 4: deny"}, true},
		"not to be told":    {[]string{"check", "tool", "Bash", "$X push"}, []string{"denied: ", "known only when it runs"}, true},
		"denied tool":       {[]string{"check", "tool", "WebFetch", "https://example.com"}, []string{"line 3: deny"}, true},
		"asked":             {[]string{"check", "tool", "Write", "deep/.env"}, []string{"asked: ", "line 6: ask"}, false},
		"asked, whole":      {[]string{"check", "tool", "Edit", `{"file_path": "/x/.env"}`}, []string{"asked: "}, false},
		"allowed":           {[]string{"check", "tool", "Bash", "git pull"}, []string{"allowed"}, false},
		"start":             {append(day, "--as", "alice"), []string{"allowed"}, false},
		"start for another": {append(day, "--as", "bob"), []string{"denied: ", "line 7: people"}, true},
		"start in a mode":   {append(day, "--mode", "bypassPermissions"), []string{"permission_modes: the default"}, true},
		"start elsewhere":   {append(day, "--working-dir", "/etc"), []string{"roots: the default"}, true},
		"start at night":    {[]string{"check", "start", "--at", "2026-11-21T06:59:00Z"}, []string{"line 9: quiet_hours"}, true},
		"restart":           {[]string{"check", "restart"}, []string{"denied: ", "offers sessions to be resumed", "after_restart: the default"}, true},
		"show":              {[]string{"show"}, []string{`"max_sessions": 20`, `"after_restart": "offer"`, `"Bash(git push *)"`}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, _, err := hostagent(t, dir, append([]string{"policy"}, test.args...)...)
			if errors.Is(err, errDenied) != test.denied || err != nil && !test.denied {
				t.Errorf("error %v, want a denial: %v", err, test.denied)
			}
			for _, want := range test.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
		})
	}
}

// TestBrokenPolicy: the policy before stays in force, and whoever asks is told.
func TestBrokenPolicy(t *testing.T) {
	dir := t.TempDir()
	rule, err := policy.ParseRule("WebFetch")
	before := policy.Default()
	before.Deny = []policy.Rule{rule}
	sessions := hostDir(dir).sessions()
	err = errors.Join(err, os.MkdirAll(sessions, 0o700), before.PutInForce(sessions),
		os.WriteFile(filepath.Join(dir, "policy.json"), []byte("{\n\"deny\": [\"WebFetch\"\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := hostagent(t, dir, "policy", "check", "tool", "WebFetch", "https://example.com")
	if !errors.Is(err, errDenied) || !strings.Contains(stdout, "deny of the policy in force") || !strings.Contains(stderr, "policy.json: line 3") {
		t.Errorf("check says %v\n%s%s", err, stdout, stderr)
	}
	stdout, _, err = hostagent(t, dir, "doctor")
	if err == nil || !strings.Contains(stdout, "problem  policy: ") || !strings.Contains(stdout, "correct that file") {
		t.Errorf("doctor says %v\n%s", err, stdout)
	}
	if _, _, err := hostagent(t, dir, "enroll", newEnroller(t).URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	if stdout, _, _ := hostagent(t, dir, "status"); !strings.Contains(stdout, "policy:        the one before is in force: policy ") {
		t.Errorf("status says\n%s", stdout)
	}
	if _, _, err := hostagent(t, dir, "run"); err == nil || !strings.Contains(err.Error(), "policy.json: line 3") {
		t.Errorf("run: %v, want it not to start", err)
	}
}
