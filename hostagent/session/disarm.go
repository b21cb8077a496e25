package session

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// disarmed returns a git that runs no filter which the repository's own configuration names: git status and git diff
// put each changed file through filter.<name>.clean. The person's own filters, such as git-lfs, still run. It fails
// if there are more than can be read, since one that is not known cannot be switched off.
func (g gitIn) disarmed(ctx context.Context) (gitIn, error) {
	listed, err := g.run(ctx, "config", "-z", "--show-scope", "--get-regexp", `^filter\.`)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return g, nil // there is none
	}
	if err != nil {
		return g, err
	}
	if len(listed) >= maxGitOutput {
		return g, errors.New("the repository's configuration is too long to be trusted")
	}
	for _, driver := range ownFilters(listed) {
		for _, setting := range []string{".clean=", ".process=", ".required=false"} {
			name, value, _ := strings.Cut(setting, "=")
			g.settings = append(g.settings, [2]string{driver + name, value})
		}
	}
	return g, nil
}

// ownFilters reads `git config -z --show-scope`: for each setting its scope, a NUL, its name, a line feed, its value,
// a NUL. Of a setting it keeps the driver, filter.<name>, unless the person or the system has set it.
func ownFilters(listed string) []string {
	var drivers []string
	fields := strings.Split(listed, "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		scope, setting := fields[i], fields[i+1]
		name, _, _ := strings.Cut(setting, "\n")
		last := strings.LastIndexByte(name, '.')
		if scope == "system" || scope == "global" || last < 0 {
			continue
		}
		drivers = append(drivers, name[:last])
	}
	return drivers
}

// settingsEnvironment gives git settings that go before every file's. A name may hold =, so that -c would not do.
func (g gitIn) settingsEnvironment() []string {
	environ := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(g.settings))}
	for i, setting := range g.settings {
		environ = append(environ, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, setting[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, setting[1]))
	}
	return environ
}
