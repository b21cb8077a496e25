package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

// app is a scripted MCP client.
type app struct {
	s        *server
	id       string
	secret   string
	redirect string
	verifier string
}

const webRedirect = "https://app.example/callback"

// register makes a public client with an https redirect, changed by the given metadata.
func (s *server) register(t *testing.T, metadata map[string]any) *app {
	t.Helper()
	full := map[string]any{
		"client_name": "Example", "redirect_uris": []string{webRedirect}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"},
	}
	maps.Copy(full, metadata)
	answer := s.tryRegister(t, full)
	if answer.status != http.StatusCreated {
		t.Fatalf("register: %d %s", answer.status, answer.body)
	}
	m := answer.json(t)
	secret, _ := m["client_secret"].(string)
	return &app{
		s: s, id: m["client_id"].(string), secret: secret,
		redirect: m["redirect_uris"].([]any)[0].(string), verifier: strings.Repeat("v", 43),
	}
}

// tryRegister sends metadata to the registration endpoint.
func (s *server) tryRegister(t *testing.T, metadata map[string]any) page {
	t.Helper()
	text, err := json.Marshal(metadata)
	if err != nil {
		t.Fatal(err)
	}
	return s.postBody(t, auth.RegisterPath, "application/json", string(text))
}

func (s *server) postBody(t *testing.T, path, contentType, body string) page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	return s.browser(t, nil).do(r)
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is the app's authorization request; nil values in change remove a parameter.
func (a *app) request(change url.Values) url.Values {
	query := url.Values{
		"client_id":             {a.id},
		"redirect_uri":          {a.redirect},
		"response_type":         {"code"},
		"state":                 {"state-1"},
		"scope":                 {"sessions:read sessions:write offline_access"},
		"code_challenge":        {challenge(a.verifier)},
		"code_challenge_method": {"S256"},
		"resource":              {a.s.oauth.Resource()},
	}
	for name, values := range change {
		if values == nil {
			query.Del(name)
			continue
		}
		query[name] = values
	}
	return query
}

// authorize opens the app's link in a browser.
func (a *app) authorize(b *browser, change url.Values) page {
	b.t.Helper()
	return b.get(a.s.url + auth.AuthorizePath + "?" + a.request(change).Encode())
}

// decide answers the consent page.
func (a *app) decide(b *browser, consent page, decision string) page {
	b.t.Helper()
	var view auth.ConsentView
	if err := json.Unmarshal([]byte(consent.body), &view); err != nil {
		b.t.Fatalf("consent page: %d %q", consent.status, consent.body)
	}
	form := url.Values{auth.CSRFField: {view.CSRF}, "decision": {decision}}
	for name, value := range view.Hidden {
		form.Set(name, value)
	}
	return b.post(a.s.url+view.Action, form)
}

// code has the person allow the app everything it asks for.
func (a *app) code(b *browser, change url.Values) string {
	b.t.Helper()
	answer := a.decide(b, a.authorize(b, change), "allow")
	if answer.status != http.StatusSeeOther || answer.location.Query().Get("code") == "" {
		b.t.Fatalf("no code: %d %v %s", answer.status, answer.location, answer.body)
	}
	return answer.location.Query().Get("code")
}

// redemption is the app's form for a code.
func (a *app) redemption(code string, change url.Values) url.Values {
	return changed(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.redirect},
		"client_id": {a.id}, "code_verifier": {a.verifier},
	}, change)
}

// refreshing is the app's form for a refresh token.
func (a *app) refreshing(token string, change url.Values) url.Values {
	return changed(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {a.id}}, change)
}

func changed(form, change url.Values) url.Values {
	for name, values := range change {
		if values == nil {
			form.Del(name)
			continue
		}
		form[name] = values
	}
	return form
}

func (a *app) token(t *testing.T, form url.Values) page {
	t.Helper()
	return a.s.browser(t, nil).post(a.s.url+auth.TokenPath, form)
}

// tokens is what an app holds.
type tokens struct{ access, refresh, scope string }

// connect goes the whole way.
func (a *app) connect(b *browser) tokens {
	b.t.Helper()
	return readTokens(b.t, a.token(b.t, a.redemption(a.code(b, nil), nil)))
}

func readTokens(t *testing.T, answer page) tokens {
	t.Helper()
	if answer.status != http.StatusOK {
		t.Fatalf("token endpoint: %d %s", answer.status, answer.body)
	}
	m := answer.json(t)
	refresh, _ := m["refresh_token"].(string)
	return tokens{access: m["access_token"].(string), refresh: refresh, scope: m["scope"].(string)}
}

// works reports whether the protected resource would let the access token in.
func (s *server) works(t *testing.T, access string) bool {
	t.Helper()
	_, err := s.oauth.Check(t.Context(), auth.Secret(access), "127.0.0.1")
	if err != nil && !errors.Is(err, auth.ErrInvalidToken) {
		t.Fatal(err)
	}
	return err == nil
}
