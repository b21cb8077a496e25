package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

func TestTokenRequestRefused(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	secretive := s.register(t, map[string]any{"token_endpoint_auth_method": "client_secret_post"})
	codeOnly := s.register(t, map[string]any{"grant_types": []string{"authorization_code"}})
	code := app.code(s.browser(t, &login), nil)
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		want   string
	}{
		{"nothing", url.Values{}, 400, "invalid_request"},
		{"no grant type", app.redemption(code, url.Values{"grant_type": nil}), 400, "invalid_request"},
		{"password grant", app.redemption(code, url.Values{"grant_type": {"password"}}), 400, "unsupported_grant_type"},
		{"client credentials", app.redemption(code, url.Values{"grant_type": {"client_credentials"}}), 400, "unsupported_grant_type"},
		{"two grant types in one", app.redemption(code, url.Values{"grant_type": {"authorization_code refresh_token"}}), 400, "unsupported_grant_type"},
		{"no client", app.redemption(code, url.Values{"client_id": nil}), 401, "invalid_client"},
		{"unknown client", app.redemption(code, url.Values{"client_id": {"nobody"}}), 401, "invalid_client"},
		{"repeated client", app.redemption(code, url.Values{"client_id": {app.id, app.id}}), 400, "invalid_request"},
		{"repeated code", app.redemption(code, url.Values{"code": {code, code}}), 400, "invalid_request"},
		{"a public client with a secret", app.redemption(code, url.Values{"client_secret": {"x"}}), 401, "invalid_client"},
		{"a client without its secret", secretive.redemption(code, nil), 401, "invalid_client"},
		{"a client with a wrong secret", secretive.redemption(code, url.Values{"client_secret": {"x"}}), 401, "invalid_client"},
		{"a client assertion", app.redemption(code, url.Values{"client_assertion": {"x"}}), 401, "invalid_client"},
		{"no code", app.redemption(code, url.Values{"code": nil}), 400, "invalid_request"},
		{"no refresh token", app.refreshing("", nil), 400, "invalid_request"},
		{"another resource", app.redemption(code, url.Values{"resource": {"https://evil.tld/mcp"}}), 400, "invalid_target"},
		{"a grant that was not registered for", codeOnly.refreshing("x", nil), 400, "unauthorized_client"},
		{"a code that is none", app.redemption("x", nil), 400, "invalid_grant"},
		{"a refresh token that is none", app.refreshing("x", nil), 400, "invalid_grant"},
		{"a code as refresh token", app.refreshing(code, nil), 400, "invalid_grant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := app.token(t, test.form)
			if got.status != test.status || got.errorCode(t) != test.want {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, test.status, test.want)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
	// None of that has spent the code.
	readTokens(t, app.token(t, app.redemption(code, nil)))
}

func TestTokenTransport(t *testing.T) {
	s := newServer(t)
	b := s.browser(t, nil)
	if got := b.get(s.url + auth.TokenPath); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET: %d, Allow %q", got.status, got.header.Get("Allow"))
	}
	if got := s.postBody(t, auth.TokenPath, "application/json", `{}`); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d", got.status)
	}
	if got := s.postBody(t, auth.TokenPath, "multipart/form-data; boundary=x", "--x--"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("multipart: %d", got.status)
	}
	if got := s.postBody(t, auth.TokenPath, "application/x-www-form-urlencoded", "a=%zz"); got.status != http.StatusBadRequest {
		t.Errorf("malformed form: %d", got.status)
	}
	if got := s.postBody(t, auth.TokenPath, "application/x-www-form-urlencoded", "a="+strings.Repeat("x", 1<<20)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("1 MB: %d", got.status)
	}
	if got := s.postBody(t, auth.TokenPath+"?grant_type=authorization_code", "application/x-www-form-urlencoded", ""); got.errorCode(t) != "invalid_request" {
		t.Errorf("parameters in the query: %s", got.body)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url+auth.TokenPath, nil)
	if got := b.do(r); got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("preflight: %d %v", got.status, got.header)
	}
}

func TestClientSecrets(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	post := s.register(t, map[string]any{"token_endpoint_auth_method": "client_secret_post"})
	basic := s.register(t, map[string]any{"token_endpoint_auth_method": "client_secret_basic"})
	withBasic := func(form url.Values, id, secret string) page {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+auth.TokenPath, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		return b.do(r)
	}
	t.Run("in the form", func(t *testing.T) {
		readTokens(t, post.token(t, post.redemption(post.code(b, nil), url.Values{"client_secret": {post.secret}})))
	})
	t.Run("in the header", func(t *testing.T) {
		readTokens(t, withBasic(basic.redemption(basic.code(b, nil), url.Values{"client_id": nil}), basic.id, basic.secret))
	})
	t.Run("wrong in the header", func(t *testing.T) {
		got := withBasic(basic.redemption("x", nil), basic.id, "wrong")
		if got.status != http.StatusUnauthorized || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("got %d %q", got.status, got.header.Get("WWW-Authenticate"))
		}
	})
	t.Run("in the wrong place", func(t *testing.T) {
		if got := withBasic(post.redemption("x", nil), post.id, post.secret); got.status != http.StatusUnauthorized {
			t.Errorf("got %d", got.status)
		}
	})
	t.Run("in both", func(t *testing.T) {
		got := withBasic(basic.redemption("x", url.Values{"client_secret": {basic.secret}}), basic.id, basic.secret)
		if got.errorCode(t) != "invalid_request" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("no verifier after a wrong one", func(t *testing.T) {
		code := post.code(b, nil)
		secret := url.Values{"client_secret": {post.secret}, "code_verifier": {strings.Repeat("w", 43)}}
		if got := post.token(t, post.redemption(code, secret)); got.errorCode(t) != "invalid_grant" {
			t.Errorf("wrong verifier: %s", got.body)
		}
		secret["code_verifier"] = nil
		if got := post.token(t, post.redemption(code, secret)); got.errorCode(t) != "invalid_grant" {
			t.Errorf("no verifier: %s", got.body)
		}
	})
}

func TestCodeRefused(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app, other := s.register(t, nil), s.register(t, nil)
	for _, test := range []struct {
		name   string
		change url.Values
		wait   time.Duration
	}{
		{"wrong verifier", url.Values{"code_verifier": {strings.Repeat("w", 43)}}, 0},
		{"no verifier", url.Values{"code_verifier": nil}, 0},
		{"verifier of 42", url.Values{"code_verifier": {strings.Repeat("v", 42)}}, 0},
		{"verifier of 129", url.Values{"code_verifier": {strings.Repeat("v", 129)}}, 0},
		{"the challenge as verifier", url.Values{"code_verifier": {challenge(app.verifier)}}, 0},
		{"another client", url.Values{"client_id": {other.id}}, 0},
		{"another redirect", url.Values{"redirect_uri": {webRedirect + "2"}}, 0},
		{"no redirect", url.Values{"redirect_uri": nil}, 0},
		{"expired", nil, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			code := app.code(b, nil)
			s.Advance(test.wait)
			for range 2 { // the code is dead after the first attempt
				if got := app.token(t, app.redemption(code, test.change)); got.status != 400 || got.errorCode(t) != "invalid_grant" {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
			if got := app.token(t, app.redemption(code, nil)); got.errorCode(t) != "invalid_grant" {
				t.Errorf("afterwards, as it should be: %d %s", got.status, got.body)
			}
		})
	}
	t.Run("in its last moment", func(t *testing.T) {
		code := app.code(b, nil)
		s.Advance(time.Minute - time.Microsecond)
		readTokens(t, app.token(t, app.redemption(code, nil)))
	})
}

func TestCodeReuseKillsTheFamily(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	code := app.code(s.browser(t, &login), nil)
	first := readTokens(t, app.token(t, app.redemption(code, nil)))
	second := readTokens(t, app.token(t, app.refreshing(first.refresh, nil)))
	if got := app.token(t, app.redemption(code, nil)); got.errorCode(t) != "invalid_grant" {
		t.Errorf("reuse: %d %s", got.status, got.body)
	}
	if s.works(t, first.access) || s.works(t, second.access) {
		t.Error("an access token survived")
	}
	if got := app.token(t, app.refreshing(second.refresh, nil)); got.errorCode(t) != "invalid_grant" {
		t.Errorf("refresh after reuse: %s", got.body)
	}
	wantAudit(t, s, "oauth.reuse", false)
}

func TestAccessTokenExpires(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	answer := app.token(t, app.redemption(app.code(s.browser(t, &login), nil), nil))
	got := readTokens(t, answer)
	if seconds := answer.json(t)["expires_in"]; seconds != float64(1800) {
		t.Errorf("expires_in %v", seconds)
	}
	if kind := answer.json(t)["token_type"]; !strings.EqualFold(kind.(string), "bearer") {
		t.Errorf("token_type %v", kind)
	}
	s.Advance(30*time.Minute - time.Microsecond)
	if !s.works(t, got.access) {
		t.Error("dead before its time")
	}
	s.Advance(time.Microsecond)
	if s.works(t, got.access) {
		t.Error("alive after its time")
	}
}

// wantAudit looks for a record of an action.
func wantAudit(t *testing.T, s *server, action string, allowed bool) {
	t.Helper()
	events, err := s.db.AuditEvents(t.Context(), "", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Action == action && e.Allowed == allowed {
			return
		}
	}
	t.Errorf("no audit record of %s, allowed %v", action, allowed)
}
