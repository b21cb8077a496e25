package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository is one whose every file goes through a filter; git sets it up as a stranger would.
func repository(t *testing.T) (dir string, git func(args ...string)) {
	t.Helper()
	dir = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=Dev", "-c", "user.email=dev@example.com"}, args...)...)
		command.Dir = dir
		command.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	check(t, os.WriteFile(filepath.Join(dir, "file"), []byte("before\n"), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte("file filter=evil\n"), 0o600))
	git("add", ".")
	git("commit", "-q", "-m", "first", "--no-gpg-sign")
	check(t, os.WriteFile(filepath.Join(dir, "file"), []byte("after\n"), 0o600))
	return dir, git
}

// TestChangesRunNothing: whoever may only read asks for changes, also of a directory that nobody has trusted yet.
func TestChangesRunNothing(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(dir, evil string, git func(args ...string)){
		"clean filter": func(_, evil string, git func(args ...string)) {
			git("config", "filter.evil.clean", evil)
		},
		"required filter": func(_, evil string, git func(args ...string)) {
			git("config", "filter.evil.clean", evil)
			git("config", "filter.evil.required", "true")
		},
		"filter process": func(_, evil string, git func(args ...string)) {
			git("config", "filter.evil.process", evil)
		},
		"filter with = in its name": func(dir, evil string, git func(args ...string)) {
			check(t, os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte("file filter=a=b.c\n"), 0o600))
			git("config", "filter.a=b.c.clean", evil)
		},
		"filter in an included file": func(dir, evil string, git func(args ...string)) {
			git("config", "-f", "more", "filter.evil.clean", evil)
			git("config", "include.path", "../more")
		},
		"filter of the work tree": func(dir, evil string, git func(args ...string)) {
			git("config", "extensions.worktreeConfig", "true")
			git("config", "--worktree", "filter.evil.clean", evil)
		},
		"missing object": func(dir, evil string, git func(args ...string)) {
			git("config", "remote.origin.url", "ext::"+evil)
			git("config", "protocol.ext.allow", "always")
			git("config", "remote.origin.promisor", "true")
			git("config", "extensions.partialClone", "origin")
			git("config", "core.repositoryFormatVersion", "1")
			blobs, err := filepath.Glob(filepath.Join(dir, ".git/objects/??/*"))
			check(t, err)
			for _, blob := range blobs { // of before; the commit and its tree are read first
				if info, err := os.Stat(blob); err == nil && info.Size() < 30 {
					check(t, os.Remove(blob))
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, git := repository(t)
			ran := filepath.Join(t.TempDir(), "ran")
			evil := filepath.Join(t.TempDir(), "evil")
			check(t, os.WriteFile(evil, []byte("#!/bin/sh\necho >> "+ran+"\n"), 0o700))
			arm(dir, evil, git)
			asking, err := gitIn{dir: dir, environ: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}}.disarmed(t.Context())
			check(t, err)
			reply, err := asking.changes(t.Context(), ".")
			if exists(ran) {
				t.Error("what the repository's configuration names was run")
			}
			if name != "missing object" && (err != nil || !strings.Contains(reply.Diff, "+after")) {
				t.Errorf("changes = %+v, %v", reply, err)
			}
		})
	}
}

func TestOwnFilters(t *testing.T) {
	listed := "system\x00filter.a.clean\nx\x00global\x00filter.lfs.process\ngit-lfs\x00local\x00filter.b.c.clean\ny\nz\x00" +
		"worktree\x00filter.d.smudge\x00local\x00filter.e"
	want := []string{"filter.b.c", "filter.d", "filter"}
	if diff := cmp.Diff(ownFilters(listed), want); diff != "" {
		t.Errorf("filters (-got +want):\n%s", diff)
	}
}
