package claudecli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"switchboard/controlplane/e2e/asker"
)

// key is what the CLI presents to the scripted endpoint, which accepts anything. The seeded home has approved it,
// so the CLI does not ask whether to use it; it compares the last 20 characters.
const key = "sk-ant-test-fake"

// Home is a home directory in which the CLI has been through its first-run questions.
type Home struct {
	Dir string // absolute
	CLI string // path of the CLI; a link ~/.local/bin/claude points to it

	// Asker is a program that serves package asker when it is called with that one's argument; the CLI knows it as the MCP
	// server asker. Empty: there is none.
	Asker string
}

// settings is the part of ~/.claude.json that skips every first-run screen. Measured with CLI 2.1.329.
type settings struct {
	Onboarded bool               `json:"hasCompletedOnboarding"`
	Keys      keyResponses       `json:"customApiKeyResponses"`
	Projects  map[string]project `json:"projects"`
	Servers   map[string]server  `json:"mcpServers,omitempty"`
}

type server struct {
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

type keyResponses struct {
	Approved []string `json:"approved"`
	Rejected []string `json:"rejected"`
}

type project struct {
	Trusted bool `json:"hasTrustDialogAccepted"`
}

// Seed makes the home. A trusted home does not cover a repository below it. A home that has been seeded before keeps its
// settings, in which the CLI has noted things since.
func (h Home) Seed(trusted ...string) error {
	bin := filepath.Join(h.Dir, ".local", "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return fmt.Errorf("making a home for the CLI: %w", err)
	}
	link := filepath.Join(bin, "claude")
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("making a home for the CLI: %w", err)
	}
	if err := os.Symlink(h.CLI, link); err != nil {
		return fmt.Errorf("making a home for the CLI: %w", err)
	}
	path := filepath.Join(h.Dir, ".claude.json")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	s := settings{
		Onboarded: true,
		Keys:      keyResponses{Approved: []string{key}, Rejected: []string{}},
		Projects:  map[string]project{},
	}
	for _, dir := range trusted {
		s.Projects[dir] = project{Trusted: true}
	}
	if h.Asker != "" {
		s.Servers = map[string]server{"asker": {Command: h.Asker, Args: []string{asker.Argument}}}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("making a home for the CLI: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("making a home for the CLI: %w", err)
	}
	return nil
}

// Environment is the whole environment, with which the CLI connects to nothing but endpoint. path is the PATH to
// put the home's own programs in front of. Measured with CLI 2.1.329 through a logging proxy.
func (h Home) Environment(endpoint, path string) []string {
	return []string{
		"HOME=" + h.Dir,
		"PATH=" + filepath.Join(h.Dir, ".local", "bin") + string(os.PathListSeparator) + path,
		"TERM=xterm-256color",
		"LANG=C.UTF-8",
		"ANTHROPIC_BASE_URL=" + endpoint,
		"ANTHROPIC_API_KEY=" + key,
		"DISABLE_TELEMETRY=1",
		"DISABLE_ERROR_REPORTING=1",
		"DISABLE_AUTOUPDATER=1",
		"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
		"CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1",
	}
}
