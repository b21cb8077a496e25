package auth_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"switchboard/auth"
)

func TestRequestBrowser(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0":                                                    "Firefox on Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36":                         "Chrome on Android",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.0.0 Mobile/15E148 Safari/604.1":       "Chrome on iPad",
		"curl/8.5.0":                 "An unknown browser",
		"":                           "An unknown browser",
		"<script>alert(1)</script>":  "An unknown browser",
		"x (Linux; <script>) \x1b[0": "A browser on Linux",
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := auth.RequestBrowser(r); got.Name != want || got.Addr != "192.0.2.1" {
			t.Errorf("%q: got %+v, want %q", agent, got, want)
		}
	}
}

func TestLogins(t *testing.T) {
	s := newServer(t)
	here := s.admin(t)
	bob := s.member(t, here)
	s.Advance(time.Hour)
	there, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "10.0.0.1", Name: "Firefox on Mac"})
	if err != nil {
		t.Fatal(err)
	}
	caller := s.caller(t, here)
	logins, err := s.accounts.Logins(t.Context(), caller, here.Token)
	if err != nil || len(logins) != 2 {
		t.Fatalf("got %+v, %v", logins, err)
	}
	i := slices.IndexFunc(logins, func(l auth.BrowserLogin) bool { return !l.Here })
	other := logins[i]
	if other.Browser != "Firefox on Mac" || other.Addr != "10.0.0.1" || !logins[1-i].Here || other.Proof != auth.ProofPassword {
		t.Errorf("got %+v", logins)
	}
	if err := s.accounts.EndLogin(t.Context(), s.caller(t, bob), other.ID); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("another ends it: %v", err)
	}
	client := caller
	client.Scopes = auth.AllScopes()
	if err := s.accounts.EndLogin(t.Context(), client, other.ID); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client ends it: %v", err)
	}
	if err := s.accounts.EndOtherLogins(t.Context(), client, ""); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client ends all: %v", err)
	}
	if _, err := s.accounts.Logins(t.Context(), client, ""); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client lists them: %v", err)
	}
	s.caller(t, there)
	if err := s.accounts.EndLogin(t.Context(), caller, other.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), there.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("the ended one: %v", err)
	}
	there = logIn(t, s)
	if err := s.accounts.EndOtherLogins(t.Context(), caller, here.Token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), there.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("one of the others: %v", err)
	}
	s.caller(t, here)
	s.caller(t, bob)
	for _, action := range []string{"login.end", "login.end_others"} {
		wantAudit(t, s, action, true)
	}
}

func TestAnAdministratorEndsLogins(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	if err := s.accounts.EndLoginsOf(t.Context(), s.caller(t, bob), ada.User.ID); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a member: %v", err)
	}
	if err := s.accounts.EndLoginsOf(t.Context(), s.caller(t, ada), "nobody"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if err := s.accounts.EndLoginsOf(t.Context(), s.caller(t, ada), bob.User.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), bob.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("his browser: %v", err)
	}
	s.caller(t, ada)
	wantAudit(t, s, "account.end_logins", true)
	wantAudit(t, s, "account.end_logins", false)
}
