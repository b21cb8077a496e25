package auth_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

func TestBearer(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	b := s.browser(t, &login)
	code := app.code(b, nil)
	got := app.connect(b)
	flip := func(token string) string { // one bit of the signature
		last := byte('A')
		if token[len(token)-2] == last {
			last = 'B'
		}
		return token[:len(token)-2] + string(last) + token[len(token)-1:]
	}
	for _, test := range []struct {
		name    string
		headers []string
		want    error
	}{
		{"good", []string{"Bearer " + got.access}, nil},
		{"scheme in lower case", []string{"bearer " + got.access}, nil},
		{"none", nil, auth.ErrNoToken},
		{"empty", []string{""}, auth.ErrNoToken},
		{"only the scheme", []string{"Bearer"}, auth.ErrNoToken},
		{"blank", []string{"Bearer   "}, auth.ErrNoToken},
		{"another scheme", []string{"Basic " + got.access}, auth.ErrNoToken},
		{"two", []string{"Bearer " + got.access, "Bearer " + got.access}, auth.ErrTwoTokens},
		{"two in one", []string{"Bearer " + got.access + ", Bearer x"}, auth.ErrInvalidToken},
		{"unknown", []string{"Bearer x"}, auth.ErrInvalidToken},
		{"64 kB", []string{"Bearer " + strings.Repeat("x", 64<<10)}, auth.ErrInvalidToken},
		{"a refresh token", []string{"Bearer " + got.refresh}, auth.ErrInvalidToken},
		{"a code", []string{"Bearer " + code}, auth.ErrInvalidToken},
		{"a refresh token with another prefix", []string{"Bearer sb_access_" + strings.TrimPrefix(got.refresh, "sb_refresh_")}, auth.ErrInvalidToken},
		{"one bit changed", []string{"Bearer " + flip(got.access)}, auth.ErrInvalidToken},
		{"only the signature", []string{"Bearer " + got.access[strings.Index(got.access, ".")+1:]}, auth.ErrInvalidToken},
		{"with padding", []string{"Bearer " + got.access + "="}, auth.ErrInvalidToken},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)
			r.Header["Authorization"] = test.headers
			if _, err := s.oauth.Bearer(t.Context(), r); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp?access_token="+got.access, strings.NewReader("access_token="+got.access))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, err := s.oauth.Bearer(t.Context(), r); !errors.Is(err, auth.ErrNoToken) {
		t.Errorf("a token in query and form: %v", err)
	}
}

func TestBearerForAnotherResource(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	got := s.register(t, nil).connect(s.browser(t, &login))
	if startServer(t, s.database, "https://moved.example", s.clock).works(t, got.access) {
		t.Error("a token for another resource works")
	}
}

func TestSecretRotation(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	got := app.connect(s.browser(t, &login))
	s.oauth.OldSecrets = [][]byte{s.oauth.Secret}
	s.oauth.Secret = bytes.Repeat([]byte("n"), 32)
	if !s.works(t, got.access) {
		t.Error("a token of the old secret does not work")
	}
	next := readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
	later := s.replica(t)
	later.oauth.Secret = s.oauth.Secret
	if later.works(t, got.access) || !later.works(t, next.access) {
		t.Error("the secret was not rotated")
	}
}

func TestLastUse(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	got := s.register(t, nil).connect(s.browser(t, &login))
	lastUse := func() (time.Time, string) {
		grants, err := s.oauth.Grants(t.Context(), s.caller(t, login), auth.GrantFilter{})
		if err != nil || len(grants) != 1 {
			t.Fatalf("%d grants, %v", len(grants), err)
		}
		return *grants[0].LastUsedAt, grants[0].LastAddr
	}
	start, _ := lastUse()
	s.Advance(59 * time.Second)
	s.works(t, got.access)
	if at, _ := lastUse(); !at.Equal(start) {
		t.Error("written within the minute")
	}
	s.Advance(time.Second)
	if _, err := s.oauth.Check(t.Context(), auth.Secret(got.access), "10.9.8.7"); err != nil {
		t.Fatal(err)
	}
	if at, addr := lastUse(); !at.Equal(s.Now()) || addr != "10.9.8.7" {
		t.Errorf("got %v from %s", at, addr)
	}
}

// TestNoSecretLeaks looks for everything that lets its bearer in, in the logs and in the database.
func TestNoSecretLeaks(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, map[string]any{"token_endpoint_auth_method": "client_secret_post"})
	code := app.code(s.browser(t, &login), nil)
	secret := map[string][]string{"client_secret": {app.secret}}
	got := readTokens(t, app.token(t, app.redemption(code, secret)))
	next := readTokens(t, app.token(t, app.refreshing(got.refresh, secret)))
	app.token(t, app.redemption(code, secret)) // a reuse
	dump := s.logs.String() + s.dump(t)
	for name, secret := range map[string]string{
		"cookie": string(login.Token), "code": code, "access": got.access, "refresh": got.refresh, "next access": next.access,
		"next refresh": next.refresh, "verifier": app.verifier, "password": password, "client secret": app.secret,
	} {
		key, _, _ := strings.Cut(secret, ".") // the signature alone may be stored
		if strings.Contains(dump, key) {
			t.Errorf("the %s leaked", name)
		}
	}
	if !strings.Contains(dump, app.id) {
		t.Error("the dump shows nothing at all")
	}
}

// dump is every row that auth keeps, as text.
func (s *server) dump(t *testing.T) string {
	t.Helper()
	conn := connect(t, s.database)
	var all strings.Builder
	for _, table := range []string{
		"users", "invites", "web_sessions", "login_failures", "oauth_clients", "oauth_grants", "oauth_tokens", "audit_events",
	} {
		var rows string
		if err := conn.QueryRow(t.Context(), "SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM "+table+" t").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		all.WriteString(rows)
	}
	return all.String()
}
