package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestCreateRefuses is what a control plane may ask for in vain; nothing of it leaves a trace.
func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	check(t, os.WriteFile(filepath.Join(home, "file"), nil, 0o600))
	p := policy.Default()
	p.Roots = []string{home}
	m := &Manager{Dir: filepath.Join(home, "s"), Self: "/nowhere", Policy: p, Kinds: agentkind.All(), Environ: []string{"HOME=" + home, "PATH=" + home}}
	check(t, m.Open(t.Context()))
	t.Cleanup(func() { check(t, m.Close()) })
	r := &rig{t: t, Manager: m}

	good := protocol.CreateSessionRequest{Act: act(), Session: protocol.NewSessionID(), Name: "web", WorkingDir: home}
	tests := map[string]struct {
		change func(*protocol.CreateSessionRequest)
		want   protocol.Code
	}{
		"no program":     {func(*protocol.CreateSessionRequest) {}, protocol.CodeUnavailable},
		"no command id":  {func(c *protocol.CreateSessionRequest) { c.Command = "" }, protocol.CodeInvalid},
		"id with a path": {func(c *protocol.CreateSessionRequest) { c.Session = "../../etc" }, protocol.CodeInvalid},
		"id in upper case": {func(c *protocol.CreateSessionRequest) {
			c.Session = protocol.SessionID(strings.ToUpper(string(c.Session)))
		}, protocol.CodeInvalid},
		"name as an option":   {func(c *protocol.CreateSessionRequest) { c.Name = "--dangerously-skip-permissions" }, protocol.CodeInvalid},
		"name with escape":    {func(c *protocol.CreateSessionRequest) { c.Name = "a\x1b]0;b\a" }, protocol.CodeInvalid},
		"name with line feed": {func(c *protocol.CreateSessionRequest) { c.Name = "a\nb" }, protocol.CodeInvalid},
		"name not UTF-8":      {func(c *protocol.CreateSessionRequest) { c.Name = "\xff" }, protocol.CodeInvalid},
		"long name":           {func(c *protocol.CreateSessionRequest) { c.Name = strings.Repeat("a", 101) }, protocol.CodeInvalid},
		"unknown agent":       {func(c *protocol.CreateSessionRequest) { c.Agent = "--mcp-config" }, protocol.CodeInvalid},
		"unknown mode":        {func(c *protocol.CreateSessionRequest) { c.PermissionMode = "--mcp-config=/x" }, protocol.CodeInvalid},
		"mode not allowed":    {func(c *protocol.CreateSessionRequest) { c.PermissionMode = "bypassPermissions" }, protocol.CodeRefused},
		"outside the roots":   {func(c *protocol.CreateSessionRequest) { c.WorkingDir = "/etc" }, protocol.CodeRefused},
		"missing directory":   {func(c *protocol.CreateSessionRequest) { c.WorkingDir = home + "/nothing" }, protocol.CodeInvalid},
		"a file":              {func(c *protocol.CreateSessionRequest) { c.WorkingDir = home + "/file" }, protocol.CodeInvalid},
		"directory as option": {func(c *protocol.CreateSessionRequest) { c.WorkingDir = "--add-dir=/" }, protocol.CodeInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := good
			test.change(&request)
			r.refused(test.want, func() error { _, err := m.Create(t.Context(), request); return err })
		})
	}
	entries, err := os.ReadDir(m.Dir)
	check(t, err)
	if len(entries) != 2 || entries[0].Name() != "lock" || entries[1].Name() != "policy-in-force.json" {
		t.Errorf("refused sessions left %v behind", entries)
	}
	unknown := protocol.NewSessionID()
	for name, call := range map[string]func() error{
		"resume": func() error {
			_, err := m.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: unknown})
			return err
		},
		"terminate": func() error {
			_, err := m.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: unknown})
			return err
		},
		"interrupt": func() error {
			_, err := m.Interrupt(t.Context(), protocol.InterruptSessionRequest{Act: act(), Session: unknown})
			return err
		},
		"send": func() error {
			_, err := m.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: unknown, Message: "m", Text: "x"})
			return err
		},
		"answer": func() error {
			_, err := m.Answer(t.Context(), protocol.AnswerPromptRequest{Act: act(), Session: unknown})
			return err
		},
		"screen": func() error {
			_, err := m.Screen(t.Context(), protocol.ReadScreenRequest{Session: unknown})
			return err
		},
		"changes": func() error {
			_, err := m.ReadChanges(t.Context(), protocol.ReadChangesRequest{Session: unknown})
			return err
		},
	} {
		t.Run(name, func(*testing.T) { r.refused(protocol.CodeNotFound, call) })
	}
}

// TestHangingStart: a start whose program hangs ends with its command. Others do not wait for it longer than their own,
// and are told why.
func TestHangingStart(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	program, began := filepath.Join(home, "claude"), filepath.Join(home, "began")
	check(t, os.WriteFile(program, []byte("#!/bin/sh\n/bin/sleep 60 &\necho $! > "+began+".new\nmv "+began+".new "+began+"\nwait\n"), 0o700))
	p := policy.Default()
	p.Roots, p.Programs = []string{home}, map[string]string{"claude": program}
	m := &Manager{Dir: filepath.Join(home, "s"), Self: "/nowhere", Policy: p, Kinds: agentkind.All(), Environ: []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}}
	check(t, m.Open(t.Context()))
	t.Cleanup(func() { check(t, m.Close()) })
	create := func(ctx context.Context) error {
		_, err := m.Create(ctx, protocol.CreateSessionRequest{Act: act(), Session: protocol.NewSessionID(), WorkingDir: home})
		return err
	}
	first, giveUp := context.WithCancel(t.Context())
	hung := make(chan error)
	go func() { hung <- create(first) }()
	r := &rig{t: t, Manager: m}
	r.untilTrue("the program", func() bool { return exists(began) })
	for name, call := range map[string]func(context.Context) error{
		"create": create,
		"resume": func(ctx context.Context) error {
			_, err := m.Resume(ctx, protocol.ResumeSessionRequest{Act: act(), Session: protocol.NewSessionID()})
			return err
		},
		"withdraw": func(ctx context.Context) error {
			_, err := m.WithdrawSession(ctx, protocol.WithdrawSessionRequest{Session: protocol.NewSessionID()})
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := call(ctx)
		cancel()
		if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != protocol.CodeUnavailable || !strings.HasPrefix(known.Message, whileStarting) {
			t.Errorf("%s ended with %v", name, err)
		}
	}
	giveUp()
	if err := <-hung; err == nil {
		t.Error("the first one was started")
	}
	left, err := os.ReadFile(began)
	check(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(left)))
	check(t, err)
	check(t, syscall.Kill(pid, syscall.SIGKILL))
}

func TestAgentEnvironment(t *testing.T) {
	t.Parallel()
	got := agentEnvironment([]string{
		"HOME=/h", "PATH=/bin", "LANG=C", "LC_ALL=C", "SSH_AUTH_SOCK=/s", "https_proxy=p", "ANTHROPIC_API_KEY=k", "CLAUDE_CONFIG_DIR=/c",
		"LD_PRELOAD=/evil.so", "DYLD_INSERT_LIBRARIES=/evil", "NODE_OPTIONS=--require=/evil", "BASH_ENV=/evil", "TERM=dumb",
		"DATABASE_URL=secret", "SWITCHBOARD_TOKEN=secret", "CLAUDE_CODE_SESSION_ID=other", "CLAUDECODE=1",
	}, agentkind.Claude())
	want := []string{
		"HOME=/h", "PATH=/bin", "LANG=C", "LC_ALL=C", "SSH_AUTH_SOCK=/s", "https_proxy=p", "ANTHROPIC_API_KEY=k", "CLAUDE_CONFIG_DIR=/c",
		"CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS=3000", "TERM=xterm-256color",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	own := []string{"CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS=1"}
	if diff := cmp.Diff(append(own, "TERM=xterm-256color"), agentEnvironment(own, agentkind.Claude())); diff != "" {
		t.Errorf("environment with the person's own (-want +got):\n%s", diff)
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	if got, want := shellQuote(`/a b/it's; rm -rf $HOME`), `'/a b/it'\''s; rm -rf $HOME'`; got != want {
		t.Errorf("shellQuote = %s, want %s", got, want)
	}
}
