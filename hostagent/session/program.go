package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
)

// FindProgram finds an agent's program and asks for its version, in what the agent will get of the environment. A
// start does this first, so its error is what a start would meet.
func FindProgram(ctx context.Context, rules policy.Policy, env []string, kind agentkind.Kind) (path, version string, err error) {
	path = rules.Programs[kind.Name]
	if path == "" {
		path, err = inPath(kind.Program, lookup(env, "PATH"))
	}
	if err != nil {
		return "", "", err
	}
	version, err = programVersion(ctx, path, agentEnvironment(env, kind))
	if err != nil {
		return "", "", fmt.Errorf("%s does not run: %w", path, err)
	}
	return path, version, nil
}

func inPath(name, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		candidate := filepath.Join(dir, name)
		info, err := os.Stat(candidate)
		if filepath.IsAbs(candidate) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("%s is not installed on this host: it is not in PATH, and the policy names no other place", name)
}

// versionGrace is how long after such a program was ended another may still have its output: one that it started.
const versionGrace = time.Second

// programVersion is the first word that the program prints when asked.
func programVersion(ctx context.Context, path string, environ []string) (string, error) {
	command := exec.CommandContext(ctx, path, "--version")
	command.Env = environ
	command.WaitDelay = versionGrace
	out, err := command.Output()
	if err != nil {
		return "", err
	}
	words := strings.Fields(outgoingLine(string(out)))
	if len(words) == 0 {
		return "", errors.New("it prints no version")
	}
	return words[0], nil
}
