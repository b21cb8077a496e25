package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// child is this program, started again to play a part. It ends when its standard input does, so that it never
// outlives us, however we end.
type child struct {
	pid   int
	said  string // its first line: that it is ready, and where
	stdin io.Closer
	cmd   *exec.Cmd
}

func startChild(ctx context.Context, env []string, words ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", words[0], err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, words...)
	cmd.Env, cmd.Stderr = env, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us to hear
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", words[0], err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", words[0], err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", words[0], err)
	}
	c := &child{pid: cmd.Process.Pid, stdin: stdin, cmd: cmd}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: it said nothing: %w", words[0], err), c.end())
	}
	c.said = strings.TrimSpace(line)
	return c, nil
}

func (c *child) end() error {
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("ending %s: %w", c.cmd.Args[1], err)
	}
	return nil
}

// limitProcess is a running limit with its agent.
type limitProcess struct {
	url, bus      string
	server, agent *child
}

func startLimit(ctx context.Context, database string, env ...string) (*limitProcess, error) {
	server, err := startChild(ctx, append([]string{limitDatabase + "=" + database}, env...), wordLimit)
	if err != nil {
		return nil, err
	}
	l := &limitProcess{server: server}
	l.url, l.bus, _ = strings.Cut(server.said, " ")
	if l.agent, err = startChild(ctx, nil, wordAgent, l.bus); err != nil {
		return nil, errors.Join(err, server.end())
	}
	return l, nil
}

func (l *limitProcess) end() error { return errors.Join(l.agent.end(), l.server.end()) }
