package auth_test

import (
	"net/url"
	"testing"
	"time"

	"switchboard/auth"
)

func TestRefreshRefused(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	app, other := s.register(t, nil), s.register(t, nil)
	b := s.browser(t, &bob)
	for _, test := range []struct {
		name   string
		change url.Values
		want   string
	}{
		{"another client", url.Values{"client_id": {other.id}}, "invalid_grant"},
		{"wider scope", url.Values{"scope": {"sessions:read prompts:answer"}}, "invalid_scope"},
		{"unknown scope", url.Values{"scope": {"root"}}, "invalid_scope"},
		{"another resource", url.Values{"resource": {"https://evil.tld/mcp"}}, "invalid_target"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := app.connect(b)
			if answer := app.token(t, app.refreshing(got.refresh, test.change)); answer.status != 400 || answer.errorCode(t) != test.want {
				t.Errorf("got %d %s", answer.status, answer.body)
			}
			// The owner is not hurt.
			readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
		})
	}
	t.Run("suspended", func(t *testing.T) {
		got := app.connect(b)
		if err := s.accounts.Suspend(t.Context(), s.caller(t, ada), bob.User.ID, true); err != nil {
			t.Fatal(err)
		}
		if answer := app.token(t, app.refreshing(got.refresh, nil)); answer.errorCode(t) != "invalid_grant" {
			t.Errorf("got %d %s", answer.status, answer.body)
		}
		if s.works(t, got.access) {
			t.Error("the access token works")
		}
	})
}

func TestRefreshNarrows(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	first := app.connect(s.browser(t, &login))
	narrow := readTokens(t, app.token(t, app.refreshing(first.refresh, url.Values{"scope": {"sessions:read"}})))
	if narrow.scope != "sessions:read" {
		t.Errorf("scope %q", narrow.scope)
	}
	caller, err := s.oauth.Check(t.Context(), auth.Secret(narrow.access), "")
	if err != nil || caller.Scopes.String() != "sessions:read" {
		t.Errorf("caller %+v, %v", caller, err)
	}
	// The refresh token has kept what was granted.
	if wide := readTokens(t, app.token(t, app.refreshing(narrow.refresh, nil))); wide.scope != first.scope {
		t.Errorf("scope %q, want %q", wide.scope, first.scope)
	}
}

func TestRefreshGrace(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	first := app.connect(s.browser(t, &login))
	answer := app.token(t, app.refreshing(first.refresh, nil))
	second := readTokens(t, answer)
	s.Advance(auth.RefreshGrace - time.Microsecond)
	again := app.token(t, app.refreshing(first.refresh, nil))
	if got := readTokens(t, again); got != second {
		t.Error("asked again within the grace time, the answer is another")
	}
	if seconds := again.json(t)["expires_in"].(float64); seconds > 1790 {
		t.Errorf("expires_in %v was not made of the first time", seconds)
	}
	third := readTokens(t, app.token(t, app.refreshing(second.refresh, nil)))
	s.Advance(time.Microsecond)
	if got := app.token(t, app.refreshing(first.refresh, nil)); got.errorCode(t) != "invalid_grant" {
		t.Errorf("after the grace time: %d %s", got.status, got.body)
	}
	for name, access := range map[string]string{"first": first.access, "second": second.access, "third": third.access} {
		if s.works(t, access) {
			t.Errorf("the %s access token survived the reuse", name)
		}
	}
	if got := app.token(t, app.refreshing(third.refresh, nil)); got.errorCode(t) != "invalid_grant" {
		t.Errorf("the family survived: %s", got.body)
	}
	wantAudit(t, s, "oauth.reuse", false)
}

func TestRefreshLifetimes(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	day := 24 * time.Hour
	t.Run("idle", func(t *testing.T) {
		got := app.connect(s.browser(t, &login))
		s.Advance(30 * day)
		if answer := app.token(t, app.refreshing(got.refresh, nil)); answer.errorCode(t) != "invalid_grant" {
			t.Errorf("after 30 days: %s", answer.body)
		}
	})
	login = logIn(t, s)
	t.Run("absolute", func(t *testing.T) {
		got := app.connect(s.browser(t, &login))
		for range 3 {
			s.Advance(29 * day)
			got = readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
		}
		s.Advance(3 * day)
		if answer := app.token(t, app.refreshing(got.refresh, nil)); answer.errorCode(t) != "invalid_grant" {
			t.Errorf("after 90 days of use: %s", answer.body)
		}
		if s.works(t, got.access) {
			t.Error("the access token outlived its family")
		}
	})
}

func TestWhoGetsRefreshTokens(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	got := readTokens(t, app.token(t, app.redemption(app.code(b, url.Values{"scope": {"sessions:read"}}), nil)))
	if got.refresh == "" {
		t.Error("no refresh token for a client that registered for it and asks for the resource's scopes only")
	}
	codeOnly := s.register(t, map[string]any{"grant_types": []string{"authorization_code"}})
	if codeOnly.connect(b).refresh != "" {
		t.Error("a refresh token for a client that did not register for it")
	}
}

// logIn logs the administrator in anew.
func logIn(t *testing.T, s *server) auth.Login {
	t.Helper()
	login, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return login
}
