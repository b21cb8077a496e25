package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func (c *cli) stranger(ctx context.Context) (string, error) {
	s, err := c.call(ctx, authNeed, "--method", "tools/list", "--stored-auth-only")
	if err == nil && !strings.Contains(s.errors, "auth_required") {
		err = fmt.Errorf("it says %s", s.errors)
	}
	return "", err
}

func (c *cli) login(ctx context.Context) (string, error) {
	s, err := c.call(ctx, fine, "--method", "tools/list")
	return "", errors.Join(err, wantLogins(s, 1), wantNamed(s, "list_sessions"))
}

func (c *cli) loginByDocument(ctx context.Context) (string, error) {
	s, err := c.call(ctx, fine, "--method", "tools/list", "--client-metadata-url", c.document.URL)
	if err == nil && c.document.fetched.Load() == 0 {
		err = errors.New("nobody fetched the document")
	}
	return "", errors.Join(err, wantLogins(s, 1), wantNamed(s, "list_sessions"))
}

// everything uses each kind of thing that the server has, with the login that is stored.
func (c *cli) everything(ctx context.Context, era string) (string, error) {
	calls := []struct {
		args []string
		want int
		name string // is in the answer
	}{
		{[]string{"--method", "initialize"}, fine, "Switchboard"},
		{[]string{"--method", "tools/list", "--strict"}, fine, "respond_to_prompt"},
		{[]string{"--method", "tools/call", "--tool-name", "list_hosts"}, fine, "here"},
		{[]string{"--method", "tools/call", "--tool-name", "get_session_status", "--tool-args-json", `{"session_id":"nobody"}`}, toolError, "session"},
		{[]string{"--method", "resources/list"}, fine, "host://"},
		{[]string{"--method", "resources/templates/list"}, fine, "session://"},
		{[]string{"--method", "resources/read", "--uri", "host://here/status"}, fine, "online"},
		{[]string{"--method", "prompts/list"}, fine, "morning_report"},
		{[]string{"--method", "prompts/get", "--prompt-name", "morning_report"}, fine, "messages"},
	}
	for _, call := range calls {
		s, err := c.call(ctx, call.want, append(call.args, "--protocol-era", era, "--use-stored-auth", "--stored-auth-only")...)
		if err := errors.Join(err, wantLogins(s, 0), wantNamed(s, call.name)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("; %d methods", len(calls)), nil
}

func (c *cli) load(ctx context.Context) (string, error) {
	s, err := c.call(ctx, fine, "--method", "tools/call", "--tool-name", "list_sessions", "--load", "--load-requests", "200", "--stored-auth-only")
	if err != nil {
		return "", err
	}
	return "; " + strings.TrimSpace(string(s.out)), nil
}

// refresh spoils the stored access token, so that the refresh token is needed.
func (c *cli) refresh(ctx context.Context) (string, error) {
	before, err := c.tokens()
	if err != nil {
		return "", err
	}
	if err := c.replace(before.Access, before.Access+"x"); err != nil {
		return "", err
	}
	s, err := c.call(ctx, fine, "--method", "tools/list", "--client-metadata-url", c.document.URL)
	if err := errors.Join(err, wantLogins(s, 0)); err != nil {
		return "", err
	}
	after, err := c.tokens()
	if err == nil && (after.Access == before.Access || after.Refresh == before.Refresh) {
		err = errors.New("the tokens are as they were")
	}
	return "", err
}

// stepUp logs in to read only, and then writes.
func (c *cli) stepUp(ctx context.Context) (string, error) {
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"careful": map[string]any{
		"type": "streamable-http", "url": c.plane.MCP(), "oauth": map[string]string{"scopes": "sessions:read"},
	}}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.home, "config.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return "", err
	}
	from := []string{"--config", file, "--server", "careful", "--method", "tools/call", "--tool-name"}
	read, err := c.exec(ctx, fine, append(from, "list_sessions")...)
	if err := errors.Join(err, wantLogins(read, 1)); err != nil {
		return "", err
	}
	wrote, err := c.exec(ctx, fine, append(from, "create_session", "--tool-args-json", `{"name":"stepped-up","working_dir":"~/web-app"}`)...)
	if err == nil && !strings.Contains(wrote.errors, "needs additional scope: sessions:write") {
		err = fmt.Errorf("it did not ask: %s", wrote.errors)
	}
	return "", errors.Join(err, wantLogins(wrote, 1), wantNamed(wrote, "stepped-up"))
}

// loginAgain lets the Inspector forget its login and make another. Whether it ends the first one, it decides.
func (c *cli) loginAgain(ctx context.Context) (string, error) {
	before, err := c.tokens()
	if err != nil {
		return "", err
	}
	s, err := c.call(ctx, fine, "--method", "tools/list", "--relogin")
	if err := errors.Join(err, wantLogins(s, 1)); err != nil {
		return "", err
	}
	works, err := c.accepts(ctx, before.Access)
	if err != nil {
		return "", err
	}
	if !works {
		return "; it revoked the login that it had", nil
	}
	return "; the Inspector leaves the login that it had alive: it skips the revocation, having kept no metadata of the server with it", nil
}

// revoked ends the login at the revocation endpoint, as a client does, and then has the Inspector try it.
func (c *cli) revoked(ctx context.Context) (string, error) {
	tokens, err := c.tokens()
	if err != nil {
		return "", err
	}
	if err := c.revoke(ctx, tokens.Refresh); err != nil {
		return "", err
	}
	works, err := c.accepts(ctx, tokens.Access)
	if err == nil && works {
		err = errors.New("the access token outlives its grant")
	}
	if err != nil {
		return "", err
	}
	_, err = c.call(ctx, authNeed, "--method", "tools/list", "--client-metadata-url", c.document.URL, "--stored-auth-only")
	return "; the Inspector asks for a new login", err
}

func wantLogins(s said, want int) error {
	if s.logins != want {
		return fmt.Errorf("it sent the person to a browser %d times, want %d: %s", s.logins, want, s.errors)
	}
	return nil
}

func wantNamed(s said, name string) error {
	if !strings.Contains(string(s.out)+s.errors, name) {
		return fmt.Errorf("the answer does not name %q: %s%s", name, s.out, s.errors)
	}
	return nil
}
