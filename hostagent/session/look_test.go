package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/protocol"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	changes := func(path string) protocol.ReadChangesReply {
		t.Helper()
		reply, err := r.ReadChanges(t.Context(), protocol.ReadChangesRequest{Session: id, Path: path})
		check(t, err)
		return reply
	}
	if got := changes(""); got.Repository {
		t.Errorf("changes without a repository = %+v", got)
	}
	r.git("init", "-q", "-b", "main")
	ran := filepath.Join(r.home, "ran")
	check(t, os.WriteFile(filepath.Join(r.home, "evil"), []byte("#!/bin/sh\ntouch "+ran+"\n"), 0o700))
	for _, name := range []string{"core.fsmonitor", "diff.external", "core.pager", "diff.evil.textconv"} {
		r.git("config", name, filepath.Join(r.home, "evil"))
	}
	check(t, os.WriteFile(r.path(".gitattributes"), []byte("*.go diff=evil\n"), 0o600))
	check(t, os.WriteFile(r.path("new.go"), []byte("package new\n"), 0o600))
	r.git("add", "new.go")
	if got := changes("new.go"); !got.Repository || got.Branch != "main" || got.Status != "A  new.go\n" || !strings.Contains(got.Diff, "+package new") {
		t.Errorf("changes before the first commit = %+v", got)
	}
	r.git("commit", "-q", "-m", "first", "--no-gpg-sign")
	check(t, os.WriteFile(r.path("new.go"), []byte("package newer\n// sk-ant-api03-abcdefgh12345\n"), 0o600))
	got := changes("")
	if got.Status != " M new.go\n?? .gitattributes\n" || !strings.Contains(got.Diff, "+package newer") || strings.Contains(got.Diff, "sk-ant") {
		t.Errorf("changes = %+v", got)
	}
	check(t, os.WriteFile(r.path("new.go"), []byte(strings.Repeat("line\n", 100_000)), 0o600))
	if got := changes(""); !got.Truncated || len(got.Diff) > maxDiff {
		t.Errorf("a long diff has %d bytes, truncated %v", len(got.Diff), got.Truncated)
	}
	if exists(ran) {
		t.Error("what the repository's configuration names was run")
	}
	for _, path := range []string{"../other", "/etc/passwd", "a\x00b"} {
		r.refused(protocol.CodeInvalid, func() error {
			_, err := r.ReadChanges(t.Context(), protocol.ReadChangesRequest{Session: id, Path: path})
			return err
		})
	}
}

func (r *rig) git(args ...string) {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), "git", append([]string{"-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "core.fsmonitor=false"}, args...)...)
	command.Dir = r.project
	if out, err := command.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	kinds, roots, modes := r.Describe()
	if len(kinds) != 1 || kinds[0].Name != "claude" || kinds[0].Version == "" || kinds[0].Missing != "" {
		t.Errorf("kinds = %+v", kinds)
	}
	if diff := cmp.Diff([]string{r.home}, roots); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"manual", "plan", "acceptEdits"}, modes); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestTerminalText(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:text the last word")
	r.entry(id, "the answer", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	r.untilTrue("the answer on the screen", func() bool { return strings.Contains(r.screen(id), "the last word") })
	reply, err := r.Terminal(t.Context(), protocol.ReadTerminalRequest{Session: id, Lines: 200})
	check(t, err)
	if text := strings.Join(reply.Lines, "\n"); !strings.Contains(text, "the last word") || strings.ContainsRune(text, '\x1b') {
		t.Errorf("terminal = %q", text)
	}
	_, err = r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.refused(protocol.CodeConflict, func() error {
		_, err := r.Screen(t.Context(), protocol.ReadScreenRequest{Session: id})
		return err
	})
	r.refused(protocol.CodeInvalid, func() error {
		_, err := r.Terminal(t.Context(), protocol.ReadTerminalRequest{Session: id, Lines: -1})
		return err
	})
}
