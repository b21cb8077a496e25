package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

func TestAuthorizeRefusesOnAPage(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	for name, change := range map[string]url.Values{
		"no client":                       {"client_id": nil},
		"unknown client":                  {"client_id": {"nobody"}},
		"client of 10 kB":                 {"client_id": {strings.Repeat("x", 10_000)}},
		"client with NUL":                 {"client_id": {"a\x00b"}},
		"client that is not UTF-8":        {"client_id": {"\xff\xfe"}},
		"repeated client":                 {"client_id": {app.id, app.id}},
		"no redirect":                     {"redirect_uri": nil},
		"repeated redirect":               {"redirect_uri": {webRedirect, webRedirect}},
		"host suffix":                     {"redirect_uri": {"https://app.example.evil.tld/callback"}},
		"user information":                {"redirect_uri": {"https://app.example@evil.tld/callback"}},
		"path traversal":                  {"redirect_uri": {"https://app.example/callback/../evil"}},
		"encoded slash":                   {"redirect_uri": {"https://app.example%2Fcallback"}},
		"extra query":                     {"redirect_uri": {webRedirect + "?a=b"}},
		"fragment":                        {"redirect_uri": {webRedirect + "#a"}},
		"upper-case host":                 {"redirect_uri": {"https://APP.example/callback"}},
		"trailing slash":                  {"redirect_uri": {webRedirect + "/"}},
		"port":                            {"redirect_uri": {"https://app.example:444/callback"}},
		"backslash":                       {"redirect_uri": {`https://app.example\@evil.tld/callback`}},
		"no scheme":                       {"redirect_uri": {"//app.example/callback"}},
		"javascript":                      {"redirect_uri": {"javascript:alert(1)"}},
		"state that is absurdly long":     {"state": {strings.Repeat("s", 5000)}},
		"http instead of https":           {"redirect_uri": {"http://app.example/callback"}},
		"loopback that is not registered": {"redirect_uri": {"http://127.0.0.1:5555/callback"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := app.authorize(b, change)
			if got.status != http.StatusBadRequest || got.location != nil {
				t.Errorf("got %d to %v: %s", got.status, got.location, got.body)
			}
			if strings.Contains(got.body, "<") {
				t.Errorf("markup in the message: %s", got.body)
			}
		})
	}
	got := b.get(s.url + auth.AuthorizePath + "?client_id=%zz")
	if got.status != http.StatusBadRequest || got.location != nil {
		t.Errorf("malformed query: got %d to %v", got.status, got.location)
	}
}

func TestAuthorizeTellsTheClient(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	anonymous := s.browser(t, nil)
	long := strings.Repeat("c", 43)
	for _, test := range []struct {
		name    string
		browser *browser
		change  url.Values
		want    string
	}{
		{"no challenge", b, url.Values{"code_challenge": nil}, "invalid_request"},
		{"no method", b, url.Values{"code_challenge_method": nil}, "invalid_request"},
		{"plain", b, url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
		{"method in lower case", b, url.Values{"code_challenge_method": {"s256"}}, "invalid_request"},
		{"challenge of 42", b, url.Values{"code_challenge": {long[:42]}}, "invalid_request"},
		{"challenge of 44", b, url.Values{"code_challenge": {long + "c"}}, "invalid_request"},
		{"challenge with padding", b, url.Values{"code_challenge": {long[:42] + "="}}, "invalid_request"},
		{"challenge with a line end", b, url.Values{"code_challenge": {long + "\n"}}, "invalid_request"},
		{"repeated challenge", b, url.Values{"code_challenge": {long, long}}, "invalid_request"},
		{"repeated scope", b, url.Values{"scope": {"sessions:read", "sessions:write"}}, "invalid_request"},
		{"unknown repeated parameter", b, url.Values{"x": {"1", "2"}}, "invalid_request"},
		{"request object", b, url.Values{"request": {"x"}}, "request_not_supported"},
		{"request URI", b, url.Values{"request_uri": {"https://x"}}, "request_uri_not_supported"},
		{"no response type", b, url.Values{"response_type": nil}, "invalid_request"},
		{"implicit", b, url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		{"hybrid", b, url.Values{"response_type": {"code id_token"}}, "unsupported_response_type"},
		{"form post", b, url.Values{"response_mode": {"form_post"}}, "invalid_request"},
		{"fragment", b, url.Values{"response_mode": {"fragment"}}, "invalid_request"},
		{"unknown scope", b, url.Values{"scope": {"sessions:read root"}}, "invalid_scope"},
		{"the pages' own scope", b, url.Values{"scope": {"manage"}}, "invalid_scope"},
		{"another resource", b, url.Values{"resource": {"https://evil.tld/mcp"}}, "invalid_target"},
		{"one good and one other resource", b, url.Values{"resource": {s.oauth.Resource(), "https://evil.tld/mcp"}}, "invalid_target"},
		{"relative resource", b, url.Values{"resource": {"/mcp"}}, "invalid_target"},
		{"resource with a fragment", b, url.Values{"resource": {s.oauth.Resource() + "#x"}}, "invalid_target"},
		{"resource with a query", b, url.Values{"resource": {s.oauth.Resource() + "?x"}}, "invalid_target"},
		{"resource with a longer path", b, url.Values{"resource": {s.oauth.Resource() + "/x"}}, "invalid_target"},
		{"the issuer as resource", b, url.Values{"resource": {s.url}}, "invalid_target"},
		{"empty resource", b, url.Values{"resource": {""}}, "invalid_target"},
		{"silent, nobody logged in", anonymous, url.Values{"prompt": {"none"}}, "login_required"},
		{"silent, logged in", b, url.Values{"prompt": {"none"}}, "consent_required"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := app.authorize(test.browser, test.change)
			if got.status != http.StatusSeeOther {
				t.Fatalf("got %d: %s", got.status, got.body)
			}
			query := got.location.Query()
			if query.Get("error") != test.want || query.Get("state") != "state-1" || query.Get("iss") != s.oauth.PublicURL {
				t.Errorf("got %v, want the error %s, the state and iss", query, test.want)
			}
			if query.Has("code") || !strings.HasPrefix(got.location.String(), webRedirect+"?") {
				t.Errorf("redirected to %v", got.location)
			}
		})
	}
}

func TestAuthorizeEchoesState(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	for name, state := range map[string]string{
		"one character": "x",
		"reserved":      "a%20b+c d&e=f#g",
		"unicode":       "zustand-ü-状態",
		"not UTF-8":     "\xff\xfe",
		"2 kB":          strings.Repeat("0123456789abcdef", 128),
		"empty":         "",
	} {
		t.Run(name, func(t *testing.T) {
			answer := app.decide(b, app.authorize(b, url.Values{"state": {state}}), "allow")
			query := answer.location.Query()
			if !query.Has("state") || query.Get("state") != state {
				t.Errorf("got %q, want %q", query.Get("state"), state)
			}
			if query.Get("iss") != s.oauth.PublicURL || query.Get("code") == "" {
				t.Errorf("got %v", query)
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		query := app.decide(b, app.authorize(b, url.Values{"state": nil}), "allow").location.Query()
		if query.Has("state") || query.Get("code") == "" {
			t.Errorf("got %v", query)
		}
	})
	t.Run("repeated", func(t *testing.T) {
		query := app.authorize(b, url.Values{"state": {"a", "b"}}).location.Query()
		if query.Has("state") || query.Get("error") != "invalid_request" {
			t.Errorf("got %v", query)
		}
	})
}

func TestAuthorizeAccepts(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	upper := "HTTP://" + strings.TrimPrefix(s.oauth.Resource(), "http://")
	for name, change := range map[string]url.Values{
		"no resource":                    {"resource": nil},
		"resource in upper case":         {"resource": {upper}},
		"resource with a slash":          {"resource": {s.oauth.Resource() + "/"}},
		"the same resource twice":        {"resource": {s.oauth.Resource(), upper}},
		"no scope":                       {"scope": nil},
		"response mode query":            {"response_mode": {"query"}},
		"a parameter nobody knows":       {"ui_locales": {"de"}},
		"every scope that there is":      {"scope": {auth.AllScopes().String()}},
		"a scope named twice":            {"scope": {"sessions:read sessions:read"}},
		"a prompt that asks to be asked": {"prompt": {"consent"}},
	} {
		t.Run(name, func(t *testing.T) {
			code := app.code(b, change)
			got := readTokens(t, app.token(t, app.redemption(code, nil)))
			if !s.works(t, got.access) {
				t.Error("the access token does not work")
			}
		})
	}
}

func TestLoopbackRedirects(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, map[string]any{"redirect_uris": []string{
		"http://localhost/callback", "http://127.0.0.1:3000/callback", "http://[::1]/callback?a=b",
	}})
	for redirect, want := range map[string]bool{
		"http://localhost/callback":               true,
		"http://localhost:3118/callback":          true,
		"http://localhost:65535/callback":         true,
		"http://127.0.0.1:5555/callback":          true,
		"http://127.0.0.1/callback":               true,
		"http://[::1]:5555/callback?a=b":          true,
		"http://[::1]:5555/callback":              false,
		"http://localhost:0/callback":             false,
		"http://localhost:65536/callback":         false,
		"http://localhost:08080/callback":         false,
		"http://localhost:/callback":              false,
		"http://localhost:80x/callback":           false,
		"http://localhost:3118/callback/":         false,
		"http://localhost:3118/Callback":          false,
		"http://localhost:3118/callback?x":        false,
		"http://localhost:3118/callback#x":        false,
		"http://localhost:3118/x/../callback":     false,
		"http://LOCALHOST:3118/callback":          false,
		"HTTP://localhost:3118/callback":          false,
		"https://localhost:3118/callback":         false,
		"http://a@localhost:3118/callback":        false,
		"http://localhost:3118@evil.tld/callback": false,
		"http://localhost.evil.tld/callback":      false,
		"http://localhost.:3118/callback":         false,
		"http://127.0.0.2:5555/callback":          false,
		"http://127.1:5555/callback":              false,
		"http://0x7f.1:5555/callback":             false,
		"http://[::1%25lo]:5555/callback?a=b":     false,
		"http://[::ffff:127.0.0.1]/callback":      false,
	} {
		t.Run(redirect, func(t *testing.T) {
			got := app.authorize(b, url.Values{"redirect_uri": {redirect}})
			if shown := got.status == http.StatusOK; shown != want {
				t.Fatalf("got %d: %s", got.status, got.body)
			}
			if !want {
				return
			}
			answer := app.decide(b, got, "allow").header.Get("Location")
			if !strings.HasPrefix(answer, redirect) {
				t.Errorf("led to %s", answer)
			}
		})
	}
}

func TestLoginOnTheWay(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	got := app.authorize(s.browser(t, nil), nil)
	if got.status != http.StatusSeeOther || got.location.Path != "/login" || got.location.Host != "" {
		t.Fatalf("got %d to %v", got.status, got.location)
	}
	back := auth.ReturnTo(got.location.Query().Get("return_to"))
	b := s.browser(t, &login)
	if answer := app.decide(b, b.get(s.url+back), "allow"); answer.location.Query().Get("code") == "" {
		t.Errorf("after the login: %d %v", answer.status, answer.location)
	}
}
