package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// hooks are the commands of the settings file, by event.
type hooks map[string][]string

func readHooks(path string) (hooks, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var settings struct {
		Hooks map[string][]struct {
			Hooks []struct {
				Command string `json:"command"`
			} `json:"hooks"`
		} `json:"hooks"`
	}
	if err := json.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	found := hooks{}
	for event, matchers := range settings.Hooks {
		for _, matcher := range matchers {
			for _, hook := range matcher.Hooks {
				found[event] = append(found[event], hook.Command)
			}
		}
	}
	return found, nil
}

// run runs an event's hooks and returns what the last of them that said something said. Whose context ends is told so
// by SIGTERM.
func (h hooks) run(ctx context.Context, event string, payload object) []byte {
	text, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	var said []byte
	for _, line := range h[event] {
		command := exec.CommandContext(ctx, "/bin/sh", "-c", line)
		command.Stdin = bytes.NewReader(text)
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
		command.WaitDelay = time.Second
		out, err := command.Output()
		if err == nil && len(out) > 0 {
			said = out
		}
	}
	return said
}

// decision is what a PermissionRequest's hook answers: allow, deny, or empty for nothing.
func decision(answer []byte) string {
	var read struct {
		Output struct {
			Decision struct {
				Behavior string `json:"behavior"`
			} `json:"decision"`
		} `json:"hookSpecificOutput"`
	}
	if json.Unmarshal(answer, &read) != nil {
		return ""
	}
	return read.Output.Decision.Behavior
}
