package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/project"
)

// Host is a machine of its own, as far as one machine can pretend: a home, a project in it, and a host agent.
type Host struct {
	Programs Programs
	Name     string
	Home     claudecli.Home
	Model    string // URL of the scripted model

	enrolled  string     // what the enrolment wrote
	processes []*Process // of all starts; the last one is the running one
}

// Project is the directory of the project web-app in the host's home.
func (h *Host) Project() string { return filepath.Join(h.Home.Dir, "web-app") }

// Prepare makes the home with the project in it.
func (h *Host) Prepare(ctx context.Context) error {
	if err := os.MkdirAll(h.Home.Dir, 0o755); err != nil {
		return fmt.Errorf("preparing the host %s: %w", h.Name, err)
	}
	if err := project.Make(ctx, h.Project()); err != nil {
		return err
	}
	return h.Home.Seed(h.Project())
}

// Enrol makes the machine a host of the control plane, as the command on the page of hosts does.
func (h *Host) Enrol(ctx context.Context, controlPlane, token string) error {
	cmd := exec.CommandContext(ctx, h.Programs.HostAgent, "enroll", controlPlane, token)
	cmd.Dir, cmd.Env = h.Home.Dir, h.Environment()
	out, err := cmd.CombinedOutput()
	h.enrolled = string(out)
	if err != nil {
		return fmt.Errorf("enrolling the host %s: %w: %s", h.Name, err, out)
	}
	return nil
}

// loginPage is the address that `hostagent login` says to open.
var loginPage = regexp.MustCompile(`(?m)^ +(http\S+/device\?user_code=\S+)$`)

// Login makes the machine a host of the control plane without a join token: allow is called with the address that
// the person is told to open.
func (h *Host) Login(ctx context.Context, controlPlane string, allow func(address string) error) error {
	process, err := startProcess(h.Home.Dir, h.Environment(), h.Programs.HostAgent, "login", "--name", h.Name, controlPlane)
	if err != nil {
		return err
	}
	address, err := process.awaitLine(ctx, loginPage)
	if err == nil {
		err = allow(address)
	}
	if err != nil {
		return errors.Join(err, process.Kill())
	}
	select {
	case <-process.done:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), process.Kill())
	}
	h.enrolled = process.Output()
	if process.err != nil {
		return fmt.Errorf("logging the host %s in: %w: %s", h.Name, process.err, h.enrolled)
	}
	return nil
}

// Start starts the host agent, for the first time or again.
func (h *Host) Start() error {
	process, err := startProcess(h.Home.Dir, h.Environment(), h.Programs.HostAgent, "run")
	if err != nil {
		return err
	}
	h.processes = append(h.processes, process)
	return nil
}

// Environment is the whole environment of the host agent.
func (h *Host) Environment() []string {
	return append(h.Home.Environment(h.Model, os.Getenv("PATH")), "SHELL=/bin/sh", "USER=tester", "LOGNAME=tester")
}

// Process is the host agent that was started last.
func (h *Host) Process() *Process { return last(h.processes) }

// Kill ends the host agent as kill -9 does; its sessions live on.
func (h *Host) Kill() error { return h.Process().Kill() }

// Stop ends the host agent as Ctrl-C does; its sessions live on.
func (h *Host) Stop() error { return h.Process().Stop() }

// Output is all that the host agent has written, over its enrolment and all its starts.
func (h *Host) Output() string { return h.enrolled + outputs(h.processes) }

// Agent is a coding agent that runs on a host, as it says itself.
type Agent struct {
	PID     int    `json:"pid"`
	Session string `json:"sessionId"`
	Status  string `json:"status"`
}

// Agents are the CLI processes that say that they run in this home. One that was killed may still be among them.
func (h *Host) Agents() ([]Agent, error) {
	files, err := filepath.Glob(filepath.Join(h.Home.Dir, ".claude", "sessions", "*.json"))
	if err != nil {
		return nil, err
	}
	var agents []Agent
	for _, file := range files {
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var agent Agent
		// The CLI writes the file in place, so it may be read half written; it is complete a moment later.
		if json.Unmarshal(data, &agent) == nil {
			agents = append(agents, agent)
		}
	}
	return agents, nil
}
