package agentkind

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// claudeHome is a home with a directory for each project, and the getenv of who lives there.
func claudeHome(t *testing.T) (config string, getenv func(string) string) {
	t.Helper()
	config = filepath.Join(t.TempDir(), "odd [*] name")
	for _, dir := range []string{"sessions", "projects/-home-dev-a", "projects/-home-dev-b"} {
		if err := os.MkdirAll(filepath.Join(config, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return config, func(name string) string { return map[string]string{"CLAUDE_CONFIG_DIR": config}[name] }
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// recordedTranscript is what the CLI kept of a conversation.
func recordedTranscript(t *testing.T, name string) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, line := range scene(t, name).Transcript {
		if err := json.Compact(&text, line); err != nil {
			t.Fatal(err)
		}
		text.WriteByte('\n')
	}
	return text.Bytes()
}

// TestClaudeConversations: only what the CLI itself keeps counts, newest first.
func TestClaudeConversations(t *testing.T) {
	const older, newer, linked, silent = "00000001-0000-4000-8000-000000000000", "00000002-0000-4000-8000-000000000000",
		"00000003-0000-4000-8000-000000000000", "00000004-0000-4000-8000-000000000000"
	config, getenv := claudeHome(t)
	in := func(parts ...string) string { return filepath.Join(append([]string{config, "projects"}, parts...)...) }
	text := recordedTranscript(t, "bash")
	put(t, in("-home-dev-a", older+".jsonl"), text)
	put(t, in("-home-dev-b", newer+".jsonl"), append(text, "{\"permissionMode\":\"plan\",\"type\":\"permission-mode\"}\n{\"torn"...))
	put(t, in("-home-dev-b", silent+".jsonl"), []byte("{\"type\":\"mode\",\"mode\":\"normal\"}\n"))
	put(t, in("-home-dev-b", "--dangerously-skip-permissions.jsonl"), text)
	put(t, in("-home-dev-b", older+".txt"), text)
	put(t, in(linked+".jsonl"), text)
	for link, to := range map[string]string{
		in("-home-dev-a", linked+".jsonl"): in("-home-dev-a", older+".jsonl"),
		in("-linked"):                      in("-home-dev-a"),
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(in("-home-dev-a", older+".jsonl"), past, past); err != nil {
		t.Fatal(err)
	}
	found, err := claudeConversations(getenv)
	if err != nil || len(found) != 2 {
		t.Fatalf("found %+v, %v", found, err)
	}
	first, second := found[0], found[1]
	if first.ID != newer || second.ID != older || first.Mode != "plan" || second.Mode != "manual" {
		t.Errorf("found %+v", found)
	}
	if first.Transcript != in("-home-dev-b", newer+".jsonl") || first.Dir != "/home/dev/home/project" || !strings.HasPrefix(first.Words, "fake:text") {
		t.Errorf("found %+v", first)
	}
	if none, err := claudeConversations(func(string) string { return "/nowhere" }); len(none) > 0 || err != nil {
		t.Errorf("without a home: %+v, %v", none, err)
	}
}

// TestClaudeWriters: only a process that still runs, and is the one that wrote the file, has a conversation open.
func TestClaudeWriters(t *testing.T) {
	config, getenv := claudeHome(t)
	recorded := scene(t, "bash").Statuses[0]
	pid := os.Getpid()
	own := strconv.Itoa(pid) + ".json"
	mine := with(t, with(t, with(t, recorded, "pid", pid), "procStart", startOf(t, pid)), "startedAt", time.Now().UnixMilli())
	for name, test := range map[string]struct {
		file string
		text []byte
		open bool
	}{
		"alive":               {own, mine, true},
		"another's number":    {own, with(t, with(t, mine, "procStart", "1"), "startedAt", 1000), false},
		"another's file":      {"1.json", mine, false},
		"gone":                {"99999999.json", with(t, mine, "pid", 99999999), false},
		"no id":               {own, with(t, mine, "sessionId", "--dangerously-skip-permissions"), false},
		"half written":        {own, mine[:len(mine)/2], false},
		"a number below zero": {"-1.json", with(t, mine, "pid", -1), false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(config, "sessions", test.file)
			put(t, path, test.text)
			defer func() { _ = os.Remove(path) }()
			open := claudeWriters(getenv)
			if (len(open) == 1) != test.open {
				t.Fatalf("open: %+v", open)
			}
			if test.open && (open[0].PID != pid || open[0].Conversation == "" || open[0].Dir != "/home/dev/home/project") {
				t.Errorf("open: %+v", open)
			}
		})
	}
}

// startOf is when a process began, as the CLI writes it on Linux.
func startOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "" // there is no such thing here
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))[19]
}

// TestConversationBecomesAPipe: something else is put in a transcript's place between the listing and the reading.
func TestConversationBecomesAPipe(t *testing.T) {
	t.Parallel()
	c := Conversation{Transcript: filepath.Join(t.TempDir(), "c.jsonl")}
	if err := syscall.Mkfifo(c.Transcript, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.read(); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("read ended with %v", err)
	}
}
