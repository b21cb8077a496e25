package auth_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
)

func readConsent(t *testing.T, p page) auth.ConsentView {
	t.Helper()
	var v auth.ConsentView
	if err := json.Unmarshal([]byte(p.body), &v); err != nil {
		t.Fatalf("%d %s", p.status, p.body)
	}
	return v
}

func TestConsentPage(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, map[string]any{
		"client_name": "<b>Éclair</b>", "client_uri": "https://site.example/about",
		"redirect_uris": []string{webRedirect, "http://localhost/cb", "com.example.app:/cb"},
	})
	got := app.authorize(b, url.Values{"scope": {"sessions:read"}})
	view := readConsent(t, got)
	want := auth.ConsentView{
		Action: auth.AuthorizePath, Hidden: view.Hidden, CSRF: view.CSRF, User: adminName,
		ClientName: "<b>Éclair</b>", ClientID: app.id, ClientHost: "site.example", RedirectHost: "app.example",
		Kind: auth.ClientRegistered, Unverified: true,
		Scopes: []auth.ScopeView{
			{Scope: auth.ScopeSessionsRead, Words: auth.ScopeSessionsRead.Words()},
			{Scope: auth.ScopeOffline, Words: auth.ScopeOffline.Words()}, // the app registered for refresh tokens
		},
	}
	if diff := cmp.Diff(want, view); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %s", name, got.header.Get(name))
		}
	}
	for redirect, source := range map[string]string{
		webRedirect: "form-action 'self' https://app.example", "http://localhost:3118/cb": "form-action 'self' http://localhost:3118",
		"com.example.app:/cb": "form-action 'self' com.example.app:",
	} {
		got := app.authorize(b, url.Values{"redirect_uri": {redirect}})
		policy := got.header.Get("Content-Security-Policy")
		if !strings.HasSuffix(policy, source) || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %s", redirect, policy)
		}
	}
	if view := readConsent(t, app.authorize(b, url.Values{"redirect_uri": {"http://localhost:3118/cb"}})); !view.Loopback || view.RedirectHost != "this computer" {
		t.Errorf("loopback: %+v", view)
	}
}

func TestConsentIsAskedEveryTime(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	app.connect(b)
	if got := app.authorize(b, nil); got.status != http.StatusOK {
		t.Errorf("the second time: %d to %v", got.status, got.location)
	}
}

func TestConsentDenied(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	got := app.decide(b, app.authorize(b, nil), "deny")
	query := got.location.Query()
	if query.Get("error") != "access_denied" || query.Get("state") != "state-1" || query.Get("iss") != s.oauth.PublicURL || query.Has("code") {
		t.Errorf("got %v", query)
	}
}

func TestConsentForm(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	b := s.browser(t, &ada)
	app := s.register(t, nil)
	view := readConsent(t, app.authorize(b, nil))
	others := readConsent(t, app.authorize(s.browser(t, &bob), nil))
	good := url.Values{auth.CSRFField: {view.CSRF}, "decision": {"allow"}, "request": {view.Hidden["request"]}, "shown": {view.Hidden["shown"]}}
	post := func(b *browser, change url.Values) page {
		form := url.Values{}
		for name, values := range good {
			form[name] = values
		}
		return b.post(s.url+auth.AuthorizePath, changed(form, change))
	}
	for _, test := range []struct {
		name   string
		change url.Values
		status int
	}{
		{"no CSRF token", url.Values{auth.CSRFField: nil}, http.StatusForbidden},
		{"another person's CSRF token", url.Values{auth.CSRFField: {others.CSRF}}, http.StatusForbidden},
		{"no decision", url.Values{"decision": nil}, http.StatusBadRequest},
		{"a strange decision", url.Values{"decision": {"maybe"}}, http.StatusBadRequest},
		{"no request", url.Values{"request": nil}, http.StatusBadRequest},
		{"a request for another address", url.Values{"request": {app.request(url.Values{"redirect_uri": {"https://evil.tld/"}}).Encode()}}, http.StatusBadRequest},
		{"a request for more than was shown", url.Values{"request": {app.request(url.Values{"scope": {"sessions:read sessions:write prompts:answer hosts:read"}}).Encode()}}, http.StatusConflict},
		{"nothing was shown", url.Values{"shown": nil}, http.StatusConflict},
		{"a form of 100 kB", url.Values{"x": {strings.Repeat("x", 100_000)}}, http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(b, test.change)
			if got.status != test.status || got.location != nil {
				t.Errorf("got %d to %v: %s", got.status, got.location, got.body)
			}
		})
	}
	t.Run("nobody logged in", func(t *testing.T) {
		got := post(s.browser(t, nil), nil)
		if got.status != http.StatusSeeOther || got.location.Path != "/login" {
			t.Errorf("got %d to %v", got.status, got.location)
		}
	})
	t.Run("double click", func(t *testing.T) {
		first, second := post(b, nil), post(b, nil)
		one, two := first.location.Query().Get("code"), second.location.Query().Get("code")
		if one == "" || two == "" || one == two {
			t.Errorf("codes %q and %q", one, two)
		}
	})
}
