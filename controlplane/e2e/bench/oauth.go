package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"switchboard/controlplane/e2e/harness"
)

const boundOAuth = "fosite over HTTP, store in memory"

// measureOAuth measures what clients ask of the authorization server. Each of our exchanges and refreshes is audited
// and on disk before it is answered; the limit's is neither.
func measureOAuth(ctx context.Context, p *product) (rows []row, err error) {
	limit, err := startLimit(ctx, p.database.URL())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, limit.end()) }()
	theirs := newGrants(strings.TrimSuffix(limit.url, "/mcp"))
	theirs.consent.Set("scope", limitScope)
	ours, err := p.grants(ctx)
	if err != nil {
		return nil, err
	}
	defer theirs.client.CloseIdleConnections()
	defer ours.client.CloseIdleConnections()
	e := newEndpoint(p.plane.MCP(), p.token)
	defer e.close()
	for _, measured := range []struct {
		name        string
		bound, ours caller
	}{
		{"code + PKCE: consent and redemption", theirs.exchange, ours.exchange},
		{"refreshes", theirs.refresh, ours.refresh},
		{"token checks", theirs.introspect, e.refused("text/plain", e.token, http.StatusUnsupportedMediaType)},
	} {
		bound, ours := &path{call: measured.bound}, &path{call: measured.ours}
		if err := takeTurns(ctx, bound, ours); err != nil {
			return rows, fmt.Errorf("%s: %w", measured.name, err)
		}
		rows = append(rows,
			rateRow(measured.name+", 1", boundOAuth, bound.alone, ours.alone, ""),
			rateRow("  64 callers", "", bound.crowd, ours.crowd, ""))
	}
	return rows, nil
}

// grants is a client that has its code from a person who presses the button of the consent page again and again.
type grants struct {
	client                *http.Client
	id                    string // of the OAuth client
	authorize, token, ask string
	consent               url.Values
	cookies               []*http.Cookie
	verifier              string
	held                  []tokens // of each caller
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// newGrants is the limit's.
func newGrants(base string) *grants {
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	return &grants{
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: crowdSize},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		id: limitClient, authorize: base + "/authorize", token: base + "/token", ask: base + "/introspect", verifier: verifier,
		held: make([]tokens, crowdSize),
		consent: url.Values{
			"response_type": {"code"}, "client_id": {limitClient}, "redirect_uri": {redirect}, "state": {rand.Text()},
			"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
		},
	}
}

// grants is ours: it registers a client and opens the consent page once.
func (p *product) grants(ctx context.Context) (*grants, error) {
	oauth := &harness.OAuth{MCP: p.plane.MCP(), Browser: p.browser, Redirect: redirect}
	if err := oauth.Discover(ctx); err != nil {
		return nil, err
	}
	oauth.AllScopes()
	if err := oauth.Register(ctx); err != nil {
		return nil, err
	}
	g := newGrants(p.plane.URL())
	g.id, g.token = oauth.ClientID, oauth.Server.Token
	g.consent.Set("client_id", oauth.ClientID)
	g.consent.Set("scope", oauth.Scope)
	g.consent.Set("resource", oauth.Resource.Resource)
	page, err := p.browser.Get(ctx, oauth.Server.Authorization+"?"+g.consent.Encode())
	if err != nil {
		return nil, err
	}
	form, button, err := page.Form("allow")
	if err != nil {
		return nil, err
	}
	form.Values.Set(button.Name, button.Value)
	g.authorize, g.consent, g.cookies = form.Action.String(), form.Values, p.browser.Cookies()
	return g, nil
}

// exchange gets a code and redeems it.
func (g *grants) exchange(ctx context.Context, number int) error {
	answer, err := g.post(ctx, g.authorize, g.consent, "")
	if err != nil {
		return err
	}
	answer.Body.Close()
	back, err := answer.Location()
	if err != nil || back.Query().Get("code") == "" {
		return fmt.Errorf("no code: %s, %v", answer.Status, back)
	}
	return g.issue(ctx, number, url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {redirect},
		"code_verifier": {g.verifier},
	})
}

// refresh uses the caller's refresh token, and keeps the one that it gets.
func (g *grants) refresh(ctx context.Context, number int) error {
	if g.held[number].Refresh == "" {
		return g.exchange(ctx, number)
	}
	return g.issue(ctx, number, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.held[number].Refresh}})
}

func (g *grants) introspect(ctx context.Context, number int) error {
	if g.held[number].Access == "" {
		return g.exchange(ctx, number)
	}
	answer, err := g.post(ctx, g.ask, url.Values{}, g.held[number].Access)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("introspection: %s", answer.Status)
	}
	return nil
}

func (g *grants) issue(ctx context.Context, number int, form url.Values) error {
	form.Set("client_id", g.id)
	answer, err := g.post(ctx, g.token, form, "")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", form.Get("grant_type"), answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(&g.held[number])
}

func (g *grants) post(ctx context.Context, address string, form url.Values, bearer string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	for _, cookie := range g.cookies {
		request.AddCookie(cookie)
	}
	return g.client.Do(request)
}
