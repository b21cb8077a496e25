package e2e

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/harness"
)

// TestOtherPeople lets a second person try everything on the first one's sessions. Each answer must be the one for
// what does not exist.
func TestOtherPeople(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	w.admin.send(t, s.ID, "fake:bash touch bob-was-here ;; text done")
	asked := w.admin.awaitPrompt(t, s.ID)
	h, err := findHost(t.Context(), w.admin, "studio")
	must(t, err)
	bob := w.invite(t, "bob")

	const nobody, noPrompt = "00000000-0000-4000-8000-000000000000", "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	sessionTools := map[string]args{
		"get_session_status": {}, "get_logs": {}, "send_message": {"message": "hi"}, "terminate_session": {},
		"interrupt_session": {}, "resume_session": {}, "get_changes": {}, "wait_for_session": {"timeout_seconds": 1},
		"check_prompts": {}, "respond_to_prompt": {"response": "yes"},
	}
	for tool, more := range sessionTools {
		for _, ref := range []string{s.ID, s.Handle, "web-app"} {
			w.wantSameAnswer(t, bob, tool, "session_id", ref, nobody, more)
		}
	}
	w.wantSameAnswer(t, bob, "respond_to_prompt", "prompt_id", asked.ID, noPrompt, args{"response": "yes"})
	w.wantSameAnswer(t, bob, "fetch", "id", s.ID, nobody, nil)
	w.wantSameAnswer(t, bob, "fetch", "id", s.Handle, "web-app_zzzz", nil)
	for _, tool := range []string{"list_sessions", "check_prompts", "create_session"} {
		w.wantSameAnswer(t, bob, tool, "host", "studio", "nowhere", nil)
		w.wantSameAnswer(t, bob, tool, "host", h.ID, "nowhere", nil)
	}
	for _, tool := range []string{"list_sessions", "list_hosts", "check_prompts", "list_templates"} {
		text, err := bob.Text(t.Context(), tool, nil)
		expect(t, err)
		wantNothingOf(t, tool, text, s, h)
	}
	text, err := bob.Text(t.Context(), "search", args{"query": "web-app"})
	expect(t, err)
	wantNothingOf(t, "search", text, s, h)
	for _, path := range []string{"/sessions/", "/sessions/" + s.ID, "/hosts/" + h.ID, "/hosts/" + h.ID + "/remove", "/prompts/" + asked.ID} {
		page, err := bob.browser.Get(t.Context(), path)
		must(t, err)
		wantNothingOf(t, path, page.Text(), s, h)
	}
	wantNoFile(t, filepath.Join(mac.Project(), "bob-was-here"))
	if got := w.admin.awaitPrompt(t, s.ID); got.ID != asked.ID {
		t.Errorf("the prompt is %+v, was %+v", got, asked)
	}
}

// wantSameAnswer wants one and the same answer for what is somebody else's and for what does not exist.
func (w *world) wantSameAnswer(t *testing.T, p person, tool, parameter, foreign, absent string, more args) {
	t.Helper()
	var answers []string
	for _, id := range []string{foreign, absent} {
		arguments := args{parameter: id}
		for name, value := range more {
			arguments[name] = value
		}
		answer := w.raw(t, p, tool, arguments)
		answers = append(answers, strings.ReplaceAll(answer.Text(), id, "<id>"))
		if strings.Contains(answer.Text(), "Internal error") {
			t.Errorf("%s %v: %s", tool, arguments, answer.Text())
		}
	}
	if diff := cmp.Diff(answers[1], answers[0]); diff != "" {
		t.Errorf("%s tells a foreign %s %q from one that does not exist (-absent +foreign):\n%s", tool, parameter, foreign, diff)
	}
}

func wantNothingOf(t *testing.T, where, text string, s session, h host) {
	t.Helper()
	for _, secret := range []string{s.ID, s.Handle, h.ID, "studio", "web-app"} {
		if where != "search" && strings.Contains(text, secret) {
			t.Errorf("%s shows %q: %s", where, secret, text)
		}
	}
}

// TestTokens tries what is not a valid access token, and what may be redeemed once only.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	status := func(t *testing.T, token string) int {
		t.Helper()
		answer, err := harness.CallRaw(t.Context(), w.plane.MCP(), token, "list_sessions", args{})
		must(t, err)
		if answer.Status == http.StatusUnauthorized && !strings.Contains(answer.Header.Get("WWW-Authenticate"), "resource_metadata=") {
			t.Errorf("the challenge is %q", answer.Header.Get("WWW-Authenticate"))
		}
		return answer.Status
	}
	connect := func(t *testing.T) harness.Tokens {
		t.Helper()
		code, err := w.admin.oauth.Authorize(t.Context())
		must(t, err)
		tokens, err := w.admin.oauth.Redeem(t.Context(), code)
		must(t, err)
		return tokens
	}
	wantStatus := func(t *testing.T, what, token string, want int) {
		t.Helper()
		if got := status(t, token); got != want {
			t.Errorf("%s: status %d, want %d", what, got, want)
		}
	}

	t.Run("what is no access token", func(t *testing.T) {
		tokens := connect(t)
		code, err := w.admin.oauth.Authorize(t.Context())
		must(t, err)
		wantStatus(t, "access token", tokens.Access, http.StatusOK)
		for what, token := range map[string]string{
			"refresh token": tokens.Refresh, "code": code.Code, "none": "", "junk": "junk", "changed": tokens.Access + "x",
			"cut": tokens.Access[:len(tokens.Access)-2], "control characters": "a\tb",
		} {
			wantStatus(t, what, token, http.StatusUnauthorized)
		}
		answer, err := harness.CallRaw(t.Context(), w.plane.MCP()+"?access_token="+tokens.Access, "", "list_sessions", args{})
		must(t, err)
		if answer.Status != http.StatusUnauthorized {
			t.Errorf("a token in the query: status %d", answer.Status)
		}
	})
	t.Run("revoked", func(t *testing.T) {
		tokens := connect(t)
		must(t, w.admin.oauth.Revoke(t.Context(), tokens.Refresh))
		wantStatus(t, "access token of a revoked grant", tokens.Access, http.StatusUnauthorized)
		_, err := w.admin.oauth.RefreshTokens(t.Context(), tokens.Refresh)
		wantOAuthError(t, err, "invalid_grant")
	})
	t.Run("wrong audience", func(t *testing.T) {
		other := *w.admin.oauth
		other.Resource.Resource = "https://elsewhere.example/mcp"
		_, err := other.Authorize(t.Context())
		if err == nil || !strings.Contains(err.Error(), "invalid_target") {
			t.Errorf("authorizing for another resource: %v, want invalid_target", err)
		}
		code, err := w.admin.oauth.Authorize(t.Context())
		must(t, err)
		_, err = other.Redeem(t.Context(), code)
		wantOAuthError(t, err, "invalid_target")
	})
	t.Run("wrong verifier", func(t *testing.T) {
		code, err := w.admin.oauth.Authorize(t.Context())
		must(t, err)
		for _, verifier := range []string{strings.Repeat("x", 52), ""} {
			_, err = w.admin.oauth.Redeem(t.Context(), harness.Code{Code: code.Code, Verifier: verifier})
			wantOAuthError(t, err, "invalid_grant")
		}
	})
	t.Run("one code, 64 redemptions", func(t *testing.T) {
		code, err := w.admin.oauth.Authorize(t.Context())
		must(t, err)
		redeemed := parallel(64, func() (harness.Tokens, error) { return w.admin.oauth.Redeem(t.Context(), code) })
		var won []harness.Tokens
		for _, r := range redeemed {
			if r.err == nil {
				won = append(won, r.tokens)
				continue
			}
			wantOAuthError(t, r.err, "invalid_grant")
		}
		if len(won) != 1 {
			t.Fatalf("%d redemptions succeeded, want 1", len(won))
		}
		wantStatus(t, "the token of a code that was used again", won[0].Access, http.StatusUnauthorized)
	})
	t.Run("one refresh token, 64 uses at once", func(t *testing.T) {
		tokens := connect(t)
		refreshed := parallel(64, func() (harness.Tokens, error) { return w.admin.oauth.RefreshTokens(t.Context(), tokens.Refresh) })
		for _, r := range refreshed {
			must(t, r.err)
			if r.tokens.Refresh != refreshed[0].tokens.Refresh {
				t.Error("one refresh token was traded for two")
			}
		}
		wantStatus(t, "refreshed token", refreshed[0].tokens.Access, http.StatusOK)
	})
	t.Run("the person revokes the client", func(t *testing.T) {
		tokens := connect(t)
		for range 10 { // one for each connection made above, newest or oldest first
			page, err := w.admin.browser.Get(t.Context(), "/clients")
			must(t, err)
			form, button, err := page.Form("revoke")
			if err != nil {
				break
			}
			_, err = w.admin.browser.Press(t.Context(), form, button)
			must(t, err)
		}
		wantStatus(t, "token after the person revoked the client", tokens.Access, http.StatusUnauthorized)
	})
}

type redemption struct {
	tokens harness.Tokens
	err    error
}

// parallel does the same n times at once.
func parallel(n int, do func() (harness.Tokens, error)) []redemption {
	results := make([]redemption, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			results[i].tokens, results[i].err = do()
		})
	}
	close(start)
	group.Wait()
	return results
}

func wantOAuthError(t *testing.T, err error, code string) {
	t.Helper()
	var refused *harness.ErrorResponse
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// TestSecretsStayOut looks for every secret of a whole run in everything that was written: logs, recordings, the
// database's files, NATS's files and the hosts' homes.
func TestSecretsStayOut(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	const apiKey = "sk-ant-api03-canaryCanaryCanary0123456789canaryCanaryCanary0123456789canary-AA"
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	must(t, os.WriteFile(filepath.Join(mac.Project(), "settings.env"), []byte("API_KEY="+apiKey+"\n"), 0o600))
	w.admin.send(t, s.ID, "fake:bash cat settings.env ;; text that was the key")
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: that was the key")
	logs, err := w.admin.Text(t.Context(), "get_logs", args{"session_id": s.ID})
	must(t, err)
	if strings.Contains(logs, apiKey) {
		t.Errorf("the transcript shows a key: %s", logs)
	}
	refreshed, err := w.admin.oauth.RefreshTokens(t.Context(), w.admin.tokens.Refresh)
	must(t, err)
	secrets := map[string]string{
		"password": password, "access token": w.admin.tokens.Access, "refresh token": w.admin.tokens.Refresh,
		"refreshed access token": refreshed.Access, "API key in the data": apiKey,
	}
	must(t, mac.Stop())
	must(t, w.plane.Stop())
	for name, secret := range secrets {
		for what, text := range map[string]string{"control plane": w.plane.Output(), "host agent": mac.Output()} {
			if strings.Contains(text, secret) {
				t.Errorf("the log of the %s holds the %s", what, name)
			}
		}
		wantNowhere(t, w.plane.Data(), name, secret)
	}
}

// wantNowhere fails the test if a file below dir holds the secret.
func wantNowhere(t *testing.T, dir, name, secret string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(string(data), secret) {
			t.Errorf("%s holds the %s", path, name)
		}
		return nil
	}))
}
