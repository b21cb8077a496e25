package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"switchboard/hostagent/protocol"
)

const (
	// maxDiff and maxStatus bound what crosses, in bytes.
	maxDiff      = 256 << 10
	maxStatus    = 64 << 10
	maxGitOutput = 2 * maxDiff
	// gitPatience bounds one call of git: a work tree may be huge, or on a dead network drive.
	gitPatience = 10 * time.Second
)

// emptyTree is git's name for no files at all: what a repository without a commit differs from.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// ReadChanges is git's account of what differs in the session's work tree.
func (m *Manager) ReadChanges(ctx context.Context, r protocol.ReadChangesRequest) (protocol.ReadChangesReply, error) {
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.ReadChangesReply{}, err
	}
	path := r.Path
	if path == "" {
		path = "."
	}
	if !filepath.IsLocal(path) || strings.ContainsRune(path, 0) {
		return protocol.ReadChangesReply{}, protocol.Errorf(protocol.CodeInvalid, "path %.200q: want one below the session's directory", r.Path)
	}
	git := gitIn{dir: s.born().WorkingDir, environ: m.Environ}
	inside, err := git.run(ctx, "rev-parse", "--is-inside-work-tree")
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) || err == nil && strings.TrimSpace(inside) != "true" {
		return protocol.ReadChangesReply{}, nil // none, or one whose work tree is somewhere else
	}
	if err == nil {
		git, err = git.disarmed(ctx)
	}
	if err != nil {
		return protocol.ReadChangesReply{}, unavailable("asking git", err)
	}
	reply, err := git.changes(ctx, path)
	if err != nil {
		return protocol.ReadChangesReply{}, unavailable("asking git", err)
	}
	return reply, nil
}

type gitIn struct {
	dir      string
	environ  []string
	settings [][2]string // names and values that go before the repository's own
}

func (g gitIn) changes(ctx context.Context, path string) (protocol.ReadChangesReply, error) {
	branch, err := g.run(ctx, "branch", "--show-current")
	if err != nil {
		return protocol.ReadChangesReply{}, err
	}
	status, err := g.run(ctx, "status", "--porcelain", "--ignore-submodules=dirty", "--", path)
	if err != nil {
		return protocol.ReadChangesReply{}, err
	}
	base := "HEAD"
	if _, err := g.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD"); err != nil {
		base = emptyTree
	}
	diff, err := g.run(ctx, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short", "--ignore-submodules=dirty", base, "--", path)
	if err != nil {
		return protocol.ReadChangesReply{}, err
	}
	reply := protocol.ReadChangesReply{Repository: true, Branch: outgoingLine(branch)}
	var statusCut, diffCut bool
	reply.Status, statusCut = clip(outgoing(status), maxStatus)
	reply.Diff, diffCut = clip(outgoing(diff), maxDiff)
	reply.Truncated = statusCut || diffCut
	return reply, nil
}

// run calls git so that it neither writes to the repository nor runs what the repository's configuration names: no
// monitor, no hook, nothing that fetches an object that is missing. A submodule has a configuration of its own, so
// git must not look into one; and a directory that only looks like a repository must not count as one.
func (g gitIn) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	command := exec.CommandContext(ctx, "git", append([]string{
		"--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "safe.bareRepository=explicit",
	}, args...)...)
	command.Dir = g.dir
	command.Env = append(g.settingsEnvironment(),
		"HOME="+lookup(g.environ, "HOME"), "PATH="+lookup(g.environ, "PATH"), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0",
		"GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none")
	command.WaitDelay = time.Second
	out := &firstBytes{most: maxGitOutput}
	command.Stdout = out
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return out.String(), nil
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct {
	bytes.Buffer
	most int
}

func (b *firstBytes) Write(p []byte) (int, error) {
	room := max(b.most-b.Len(), 0)
	b.Buffer.Write(p[:min(len(p), room)])
	return len(p), nil
}
