package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorize sends the person, who has logged in before, back with a code. A request that a provider should not take
// gets 400 on a page, so that a test sees it.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	query := r.URL.Query()
	if problem := p.checkRequest(query); problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	if p.asks && r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self' "+origin(p.Redirect))
		fmt.Fprintf(w, `<!doctype html><title>Provider</title><form method="post" action="%s"><button id="continue">Continue</button></form>`,
			html.EscapeString(r.URL.RequestURI()))
		return
	}
	back := url.Values{"state": {query.Get("state")}, "iss": {p.Issuer}}
	switch p.fault {
	case WrongIss:
		back.Set("iss", "https://evil.example")
	case NoIss:
		back.Del("iss")
	}
	if p.fault == Denied {
		back.Set("error", "access_denied")
	} else {
		back.Set("code", p.issue(grant{person: p.person, nonce: query.Get("nonce"), challenge: query.Get("code_challenge")}))
	}
	http.Redirect(w, r, p.Redirect+"?"+back.Encode(), http.StatusSeeOther)
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (p *Provider) issue(g grant) string {
	code := rand.Text()
	p.codes[code] = g
	return code
}

// Code makes a code for a person as if another browser had got it, with a challenge and a nonce of its own.
func (p *Provider) Code(person Person, nonce, verifier string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.issue(grant{person: person, nonce: nonce, challenge: challenge(verifier)})
}

func (p *Provider) checkRequest(query url.Values) string {
	switch {
	case query.Get("client_id") != p.ClientID:
		return "unknown client"
	case query.Get("redirect_uri") != p.Redirect:
		return "unregistered redirect_uri"
	case query.Get("response_type") != "code":
		return "unsupported response_type"
	case !slices.Contains(strings.Fields(query.Get("scope")), "openid"):
		return "no openid scope"
	case len(query.Get("state")) < 32, len(query.Get("nonce")) < 32:
		return "state and nonce must be hard to guess"
	case query.Get("code_challenge_method") != "S256", len(query.Get("code_challenge")) != 43:
		return "PKCE is required"
	}
	return ""
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// token redeems a code, once.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if id != url.QueryEscape(p.ClientID) || secret != url.QueryEscape(p.ClientSecret) {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	g, ok := p.codes[code]
	delete(p.codes, code)
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != p.Redirect ||
		challenge(r.PostFormValue("code_verifier")) != g.challenge {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	access := rand.Text()
	p.bearer["Bearer "+access] = g
	body := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300}
	if p.fault != NoIDToken {
		body["id_token"] = p.idToken(g, access)
	}
	answer(w, http.StatusOK, body)
}
