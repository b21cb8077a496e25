package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
)

func TestRegister(t *testing.T) {
	s := newServer(t)
	got := s.tryRegister(t, map[string]any{
		"client_name": "Cursor", "redirect_uris": []string{"cursor://anysphere.cursor-mcp/oauth/callback"},
		"token_endpoint_auth_method": "none", "scope": "sessions:read root", "client_uri": "https://cursor.example",
		"software_statement": "ignored", "x_unknown": 1,
	})
	if got.status != http.StatusCreated || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	m := got.json(t)
	if id, _ := m["client_id"].(string); len(id) < 20 {
		t.Errorf("client_id %q", id)
	}
	if at, _ := m["client_id_issued_at"].(float64); int64(at) != s.Now().Unix() {
		t.Errorf("client_id_issued_at %v", m["client_id_issued_at"])
	}
	delete(m, "client_id")
	delete(m, "client_id_issued_at")
	want := map[string]any{
		"client_name": "Cursor", "redirect_uris": []any{"cursor://anysphere.cursor-mcp/oauth/callback"},
		"token_endpoint_auth_method": "none", "response_types": []any{"code"}, "application_type": "native",
		"grant_types": []any{"authorization_code", "refresh_token"}, "scope": "sessions:read",
		"client_uri": "https://cursor.example",
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestRegisterTwice(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	first, second := s.register(t, nil), s.register(t, nil)
	if first.id == second.id {
		t.Error("one client for two registrations")
	}
	for _, app := range []*app{first, second} {
		if !s.works(t, app.connect(s.browser(t, &login)).access) {
			t.Error("a client does not work")
		}
	}
}

func TestRegisterSecret(t *testing.T) {
	s := newServer(t)
	m := s.tryRegister(t, map[string]any{"redirect_uris": []string{webRedirect}}).json(t)
	if m["token_endpoint_auth_method"] != "client_secret_basic" || m["client_secret_expires_at"] != float64(0) || m["application_type"] != "web" {
		t.Errorf("got %v", m)
	}
	if secret, _ := m["client_secret"].(string); len(secret) < 43 {
		t.Errorf("a secret of %d characters", len(secret))
	}
}

func TestRegisterRefused(t *testing.T) {
	s := newServer(t)
	redirects := func(uris ...string) map[string]any {
		return map[string]any{"redirect_uris": uris, "token_endpoint_auth_method": "none"}
	}
	with := func(name string, value any) map[string]any {
		m := redirects(webRedirect)
		m[name] = value
		return m
	}
	for _, test := range []struct {
		name string
		body map[string]any
		want string
	}{
		{"no redirects", redirects(), "invalid_redirect_uri"},
		{"11 redirects", redirects(strings.Split(strings.Repeat(webRedirect+" ", 11), " ")[:11]...), "invalid_redirect_uri"},
		{"http that is not loopback", redirects("http://app.example/cb"), "invalid_redirect_uri"},
		{"http that looks like loopback", redirects("http://localhost.evil.tld/cb"), "invalid_redirect_uri"},
		{"javascript", redirects("javascript:alert(1)"), "invalid_redirect_uri"},
		{"data", redirects("data:text/html,x"), "invalid_redirect_uri"},
		{"file", redirects("file:///etc/passwd"), "invalid_redirect_uri"},
		{"fragment", redirects(webRedirect + "#x"), "invalid_redirect_uri"},
		{"empty fragment", redirects(webRedirect + "#"), "invalid_redirect_uri"},
		{"user information", redirects("https://a@app.example/cb"), "invalid_redirect_uri"},
		{"wildcard", redirects("https://*.app.example/cb"), "invalid_redirect_uri"},
		{"line end", redirects(webRedirect + "\r\nX: y"), "invalid_redirect_uri"},
		{"space", redirects("https://app.example/a b"), "invalid_redirect_uri"},
		{"backslash", redirects(`https://app.example\evil`), "invalid_redirect_uri"},
		{"not ASCII", redirects("https://äpp.example/cb"), "invalid_redirect_uri"},
		{"encoded and not ASCII", redirects("https://%D0%B0pp.example/cb"), "invalid_redirect_uri"},
		{"a semicolon in the host", redirects("https://app.example;sandbox/cb"), "invalid_redirect_uri"},
		{"a comma in the host", redirects("https://app.example,evil/cb"), "invalid_redirect_uri"},
		{"an address with a zone", redirects("https://[fe80::1%25eth0]/cb"), "invalid_redirect_uri"},
		{"relative", redirects("/cb"), "invalid_redirect_uri"},
		{"no host", redirects("https:///cb"), "invalid_redirect_uri"},
		{"port 0", redirects("https://app.example:0/cb"), "invalid_redirect_uri"},
		{"very long", redirects("https://app.example/" + strings.Repeat("x", 2000)), "invalid_redirect_uri"},
		{"a scheme without a dot", redirects("myapp://cb"), "invalid_redirect_uri"},
		{"another's known scheme", redirects("cursor://evil/cb"), "invalid_redirect_uri"},
		{"one good and one bad", redirects(webRedirect, "http://app.example/cb"), "invalid_redirect_uri"},
		{"an app's scheme for a web client", map[string]any{"redirect_uris": []string{"com.example.app:/cb"}, "application_type": "web"}, "invalid_redirect_uri"},
		{"unknown method", with("token_endpoint_auth_method", "private_key_jwt"), "invalid_client_metadata"},
		{"password grant", with("grant_types", []string{"authorization_code", "password"}), "invalid_client_metadata"},
		{"implicit grant", with("grant_types", []string{"implicit"}), "invalid_client_metadata"},
		{"client credentials grant", with("grant_types", []string{"authorization_code", "client_credentials"}), "invalid_client_metadata"},
		{"the method of clients that are added", with("token_endpoint_auth_method", "client_secret"), "invalid_client_metadata"},
		{"only refresh", with("grant_types", []string{"refresh_token"}), "invalid_client_metadata"},
		{"response type token", with("response_types", []string{"token"}), "invalid_client_metadata"},
		{"unknown application type", with("application_type", "toaster"), "invalid_client_metadata"},
		{"jwks and jwks_uri", map[string]any{"redirect_uris": []string{webRedirect}, "jwks": map[string]any{}, "jwks_uri": "https://x"}, "invalid_client_metadata"},
		{"name with a line end", with("client_name", "a\nb"), "invalid_client_metadata"},
		{"name that turns the writing", with("client_name", "a\u202eb"), "invalid_client_metadata"},
		{"name with zero width", with("client_name", "Chat\u200bGPT"), "invalid_client_metadata"},
		{"very long name", with("client_name", strings.Repeat("x", 101)), "invalid_client_metadata"},
		{"site that is a script", with("client_uri", "javascript:alert(1)"), "invalid_client_metadata"},
		{"wrong types", with("redirect_uris", 1), "invalid_client_metadata"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.Advance(time.Minute) // past the rate limit
			got := s.tryRegister(t, test.body)
			if got.status != http.StatusBadRequest || got.errorCode(t) != test.want {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestRegisterTransport(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		name, contentType, body string
		want                    int
	}{
		{"form", "application/x-www-form-urlencoded", "a=b", http.StatusUnsupportedMediaType},
		{"not JSON", "application/json", "{", http.StatusBadRequest},
		{"an array", "application/json", "[]", http.StatusBadRequest},
		{"two documents", "application/json", "{}{}", http.StatusBadRequest},
		{"nothing", "application/json", "", http.StatusBadRequest},
		{"deep", "application/json", strings.Repeat("[", 15_000), http.StatusBadRequest},
		{"20 kB", "application/json", `{"x":"` + strings.Repeat("x", 20_000) + `"}`, http.StatusRequestEntityTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := s.postBody(t, auth.RegisterPath, test.contentType, test.body); got.status != test.want {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestRegisterTakesOnlyPosts(t *testing.T) {
	s := newServer(t)
	if got := s.browser(t, nil).get(s.url + auth.RegisterPath); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET: %d, Allow %q", got.status, got.header.Get("Allow"))
	}
}

func TestRegisterIsLimited(t *testing.T) {
	s := newServer(t)
	var got page
	for range 21 {
		got = s.tryRegister(t, map[string]any{"redirect_uris": []string{webRedirect}})
	}
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("the 21st: %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	s.Advance(10 * time.Second)
	s.register(t, nil)
}

func TestSweepKeepsUsedClients(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	used, unused := s.register(t, nil), s.register(t, nil)
	used.connect(b)
	unused.code(b, nil) // never redeemed
	s.Advance(23 * time.Hour)
	young := s.register(t, nil)
	s.Advance(time.Hour)
	if err := s.oauth.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := unused.authorize(b, nil); got.status != http.StatusBadRequest {
		t.Errorf("the unused client is still known: %d", got.status)
	}
	for name, app := range map[string]*app{"used": used, "young": young} {
		if got := app.authorize(b, nil); got.status != http.StatusOK {
			t.Errorf("the %s client is gone: %d %s", name, got.status, got.body)
		}
	}
	s.Advance(100 * 24 * time.Hour)
	if err := s.oauth.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	login = logIn(t, s)
	if got := used.authorize(s.browser(t, &login), nil); got.status != http.StatusOK {
		t.Errorf("the used client is gone after 100 days: %d", got.status)
	}
}
