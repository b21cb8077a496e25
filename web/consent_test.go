package web_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// register has a client register itself, and returns the address to which it would send a person.
func (s *site) register(t *testing.T, name, redirect string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"client_name": name, "redirect_uris": []string{redirect}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+auth.RegisterPath, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer := b.do(r)
	var client struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(answer.text), &client); err != nil || client.ID == "" {
		t.Fatalf("register %q: %d %s", name, answer.status, answer.text)
	}
	return auth.AuthorizePath + "?" + url.Values{
		"client_id": {client.ID}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"s"},
		"scope": {"sessions:read offline_access"}, "code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"},
	}.Encode()
}

func TestConsent(t *testing.T) {
	s := newSite(t)
	address := s.register(t, "Chat <b>GPT</b>", "https://chatgpt.example/callback")
	b := s.browser(t, nil)
	login := b.get(b.get(address).leads("/login")).wants(http.StatusOK)
	entered := b.submit(login, "/login", url.Values{"name": {"ada"}, "password": {password}}).wants(http.StatusOK)
	to := strings.TrimPrefix(entered.header.Get("Refresh"), "0; url=")

	page := b.get(to).wants(http.StatusOK, "Chat <b>GPT</b>", "chatgpt.example", "ada", auth.ScopeSessionsRead.Words(),
		"This client named itself")
	page.checkInert(to)
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://chatgpt.example") {
		t.Errorf("the form cannot be redirected to its client: %s", csp)
	}
	form, action := page.form(auth.AuthorizePath)
	forged := url.Values{"request": form["request"], "decision": {"allow"}}
	b.post(action, forged).wants(http.StatusForbidden)
	b.submit(page, auth.AuthorizePath, url.Values{"decision": {"deny"}}).leads("https://chatgpt.example/callback?error=access_denied")
	allowed := b.submit(page, auth.AuthorizePath, url.Values{"decision": {"allow"}}).leads("https://chatgpt.example/callback?code=")
	if !strings.Contains(allowed, "state=s") {
		t.Errorf("redirect %s", allowed)
	}
}

func TestAllClientsAreRevoked(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	for _, name := range []string{"ChatGPT", "Claude"} {
		consent := b.get(s.register(t, name, "https://chatgpt.example/callback"))
		b.submit(consent, auth.AuthorizePath, url.Values{"decision": {"allow"}}).leads("https://chatgpt.example/callback?code=")
	}
	s.useGrants(t)
	page := b.get("/clients").wants(http.StatusOK, "ChatGPT", "Claude")
	if !strings.Contains(page.text, `href="/clients/revoke"`) {
		t.Error("the page does not lead to the end of all")
	}
	ask := b.get("/clients/revoke").wants(http.StatusOK, "End all of mine?", "2 connections")
	b.submit(ask, "/clients/revoke", url.Values{}).leads("/clients")
	b.get("/clients").wants(http.StatusOK, "No client is connected.").lacks("End all of mine")
}

// useGrants makes every grant hold a token, as if its code had been redeemed; one that was not is not listed.
func (s *site) useGrants(t *testing.T) {
	t.Helper()
	s.execute(t, `
		INSERT INTO oauth_tokens (kind, signature, grant_id, scopes, created_at, expires_at)
		SELECT 'refresh', id, id, scopes, now(), now() + interval '1 day' FROM oauth_grants`)
}

// execute changes the database by hand.
func (s *site) execute(t *testing.T, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), statement)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestConsentWarnsOfLoopback(t *testing.T) {
	s := newSite(t)
	page := s.browser(t, &s.admin).get(s.register(t, "Local", "http://127.0.0.1:3118/callback"))
	page.wants(http.StatusOK, "This client runs on your own computer.")
}

func TestClientIsRefusedOnAPage(t *testing.T) {
	s := newSite(t)
	page := s.browser(t, &s.admin).get("/authorize?client_id=x&redirect_uri=https://evil.example/").
		wants(http.StatusBadRequest, "not registered", "Nothing was sent to the client.")
	page.checkInert("/authorize")
}

// TestConsentShowsWhoVouches opens the page for clients that did not just register themselves.
func TestConsentShowsWhoVouches(t *testing.T) {
	s := newSite(t)
	now := time.Now()
	described := auth.Client{
		ID: "https://app.example/client.json", Kind: auth.ClientDocument, Name: "Described", AuthMethod: "none", CreatedAt: now,
		RedirectURIs: []string{"https://app.example/cb", "https://other.example/cb", "http://localhost/cb"},
	}
	document := auth.Document{URL: described.ID, CheckedAt: now, FreshUntil: now.Add(time.Hour)}
	if err := s.db.SaveDocument(t.Context(), document, &described); err != nil {
		t.Fatal(err)
	}
	added, _, err := s.pages.OAuth.AddClient(t.Context(), s.caller(t, s.admin), auth.NewClient{
		Name: "Added", RedirectURIs: []string{"https://added.example/cb"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, &s.admin)
	open := func(id, redirect string) page {
		page := b.get(auth.AuthorizePath + "?" + url.Values{
			"client_id": {id}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"sessions:read"},
			"code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"},
		}.Encode())
		page.checkInert(redirect)
		return page.lacks("This client named itself")
	}
	open(described.ID, "https://app.example/cb").wants(http.StatusOK, "Described", "app.example", "verified").lacks("another host", "own computer")
	open(described.ID, "https://other.example/cb").wants(http.StatusOK, "its answer goes to another host", "other.example", "verified")
	open(described.ID, "http://localhost:3118/cb").wants(http.StatusOK, "This client runs on your own computer.", "this computer", "app.example")
	open(added.ID, "https://added.example/cb").wants(http.StatusOK, "Added", "an administrator of this server", "added.example").lacks("verified")
}
