package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// upCommand is `controlplane up`: a control plane, and a host agent that makes this very machine a host, by the
// same enrolment that any other takes.
type upCommand struct {
	config    `embed:""`
	Hostagent string `type:"path" placeholder:"FILE" help:"The host agent's program. Left out: the one beside this program."`
	HostDir   string `env:"SWITCHBOARD_HOST_DIR" type:"path" placeholder:"DIR" help:"The host agent's directory. Left out: ~/.switchboard/host."`
	HostName  string `placeholder:"NAME" help:"What this machine is called. Left out: its own name."`
}

// Run serves until the context ends.
func (c *upCommand) Run(env environment) error {
	program, err := c.program()
	if err != nil {
		return err
	}
	if c.HostDir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return fmt.Errorf("--host-dir is needed: %w", err)
		}
		c.HostDir = filepath.Join(home, ".switchboard", "host")
	}
	return serve(env, c.config, func(ctx context.Context, p *plane) error {
		if err := c.enrol(ctx, program, p); err != nil {
			return fmt.Errorf("enrol this machine: %w", err)
		}
		return c.keep(ctx, env, program, p.config.PublicURL)
	})
}

func (c *upCommand) program() (string, error) {
	path := c.Hostagent
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		path = filepath.Join(filepath.Dir(self), "hostagent")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the host agent's program is not at %s: build it (make build), or say --hostagent", path)
	}
	return path, nil
}

// enrolled is what the host agent keeps of its enrolment, as far as it matters here.
type enrolled struct {
	URL      string `json:"url"`
	Audience string `json:"audience"`
}

// enrol makes this machine a host, unless it is one of this control plane's already. One that was enrolled at this
// address before the data were thrown away is enrolled anew; one of another control plane is left alone.
func (c *upCommand) enrol(ctx context.Context, program string, p *plane) error {
	args := []string{"enroll", "--dir", c.HostDir}
	switch before, err := c.before(); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case before.Audience == p.enrol.Audience:
		return nil
	case before.URL != p.config.PublicURL:
		return fmt.Errorf("%s belongs to a host of %s: say another --host-dir", c.HostDir, before.URL)
	default:
		args = append(args, "--replace")
	}
	name := c.HostName
	if name == "" {
		var err error
		if name, err = os.Hostname(); err != nil {
			return err
		}
	}
	token, err := p.fleet.NewLocalJoinToken(ctx, name)
	if err != nil {
		return err
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, program, append(args, p.config.PublicURL, "-")...)
	cmd.Stdin = strings.NewReader(token.Token) // as an argument, every user of this machine could see it, and come first
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

func (c *upCommand) before() (enrolled, error) {
	var before enrolled
	text, err := os.ReadFile(filepath.Join(c.HostDir, "host.json"))
	if err != nil {
		return before, err
	}
	if err := json.Unmarshal(text, &before); err != nil {
		return before, fmt.Errorf("%s: host.json: %w", c.HostDir, err)
	}
	return before, nil
}

// agentStop is how long the host agent may take to say that it leaves.
const agentStop = 10 * time.Second

// keep runs the host agent until the context ends. It connects to where the control plane is now, which may be
// another address than at its enrolment. Its standard input is a pipe that closes when this process is
// gone, however that happens: it stops then, so that the next start finds its place free. Sessions live on.
func (c *upCommand) keep(ctx context.Context, env environment, program, url string) error {
	cmd := exec.CommandContext(ctx, program, "run", "--dir", c.HostDir, "--url", url, "--until-stdin-closes")
	cmd.Stdout, cmd.Stderr = env.stdout, env.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to pass on, in order
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = agentStop
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer alive.Close()
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	// The control plane goes on for the other hosts; this one says by itself what is wrong.
	env.log.ErrorContext(ctx, "this machine's host agent has stopped", "err", err)
	return nil
}
