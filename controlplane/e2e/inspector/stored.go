package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"switchboard/controlplane/e2e/harness"
)

// secrets is the file in which the Inspector keeps tokens where the machine has no keychain.
func (c *cli) secrets() string { return filepath.Join(c.home, ".mcp-inspector", "secrets.json") }

// tokens are those of its login.
func (c *cli) tokens() (harness.Tokens, error) {
	text, err := os.ReadFile(c.secrets())
	if err != nil {
		return harness.Tokens{}, err
	}
	var file struct {
		Secrets map[string]string `json:"secrets"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return harness.Tokens{}, err
	}
	for name, value := range file.Secrets {
		var tokens harness.Tokens
		if !strings.Contains(name, ":tokens:") {
			continue
		}
		if err := json.Unmarshal([]byte(value), &tokens); err != nil {
			return harness.Tokens{}, err
		}
		return tokens, nil
	}
	return harness.Tokens{}, errors.New("the Inspector has stored no tokens")
}

// replace changes what is stored.
func (c *cli) replace(old, with string) error {
	text, err := os.ReadFile(c.secrets())
	if err != nil {
		return err
	}
	return os.WriteFile(c.secrets(), bytes.ReplaceAll(text, []byte(old), []byte(with)), 0o600)
}

// accepts reports whether the control plane takes an access token.
func (c *cli) accepts(ctx context.Context, access string) (bool, error) {
	answer, err := harness.CallRaw(ctx, c.plane.MCP(), access, "list_sessions", map[string]any{})
	if err != nil {
		return false, err
	}
	switch answer.Status {
	case http.StatusOK:
		return true, nil
	case http.StatusUnauthorized:
		return false, nil
	}
	return false, fmt.Errorf("the control plane answers %d: %s", answer.Status, answer.Body)
}

// revoke ends a login by its refresh token, for the client with the document.
func (c *cli) revoke(ctx context.Context, refresh string) error {
	client := harness.OAuth{MCP: c.plane.MCP(), ClientID: c.document.URL}
	if err := client.Discover(ctx); err != nil {
		return err
	}
	return client.Revoke(ctx, refresh)
}
