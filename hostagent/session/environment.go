package session

import (
	"slices"
	"strings"

	"switchboard/hostagent/agentkind"
)

// terminalEnvironment is what every agent gets of the host agent's own environment. It is a list of what passes,
// so that neither our secrets nor what changes how programs are loaded (LD_PRELOAD, DYLD_INSERT_LIBRARIES,
// NODE_OPTIONS) can.
var terminalEnvironment = []string{
	"HOME", "PATH", "LANG", "LC_*", "SHELL", "USER", "LOGNAME", "TMPDIR", "TZ", "EDITOR", "VISUAL", "SSH_AUTH_SOCK",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"XDG_*", "COLORTERM", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "GOPATH", "GOFLAGS", "GOCACHE",
	"JAVA_HOME", "VIRTUAL_ENV", "NVM_DIR", "HOMEBREW_*",
}

// agentEnvironment is the whole environment of an agent.
func agentEnvironment(environ []string, kind agentkind.Kind) []string {
	var kept []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		wanted := passes(name, terminalEnvironment) || passes(name, kind.Environment)
		if wanted && !passes(name, kind.NotEnvironment) {
			kept = append(kept, variable)
		}
	}
	for _, variable := range kind.Defaults {
		if name, _, _ := strings.Cut(variable, "="); lookup(kept, name) == "" {
			kept = append(kept, variable)
		}
	}
	// What the screen model speaks, whatever terminal the host agent was started from.
	return append(kept, "TERM=xterm-256color")
}

func passes(name string, list []string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		start, isStart := strings.CutSuffix(entry, "*")
		return name == entry || isStart && strings.HasPrefix(name, start)
	})
}

// lookup reads one variable of an environment; the last one counts.
func lookup(environ []string, name string) string {
	for _, variable := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}
