// Package idp is a provider of identities for tests: one that follows OpenID Connect Core 1.0, with PKCE, and can be
// told to break each rule that those who rely on it must check.
package idp

import (
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Provider is a provider with one client and one person, who has logged in already. It serves HTTP at its issuer.
type Provider struct {
	Issuer       string // its URL, without a trailing slash
	ClientID     string
	ClientSecret string
	Redirect     string // the client's one redirect URI
	Now          func() time.Time

	mu     sync.Mutex // guards the fields below
	key    Key
	person Person
	fault  Fault
	asks   bool
	codes  map[string]grant
	bearer map[string]grant
	asked  []string // paths, in order
	last   int
}

// Person is who is logged in at the provider.
type Person struct {
	Claims map[string]any // of the ID token, sub among them
	Info   map[string]any // what only UserInfo says
}

// Key signs ID tokens.
type Key struct {
	ID     string
	Alg    string // RS256 or ES256
	Signer crypto.Signer
}

// grant is what a person gave a client.
type grant struct {
	person    Person
	nonce     string
	challenge string
}

// New makes a provider that signs with RS256.
func New(issuer, redirect string) *Provider {
	p := &Provider{
		Issuer: issuer, ClientID: "switchboard", ClientSecret: "client secret of the tests", Redirect: redirect,
		Now: time.Now, codes: map[string]grant{}, bearer: map[string]grant{},
	}
	p.Rotate("RS256")
	return p
}

// LogIn changes who is logged in.
func (p *Provider) LogIn(person Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = person
}

// Misbehave makes the provider break one rule; "" makes it keep all of them.
func (p *Provider) Misbehave(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Ask makes the provider show a page with a button before it sends the browser back.
func (p *Provider) Ask() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks = true
}

// Rotate puts a new key in the place of the old one.
func (p *Provider) Rotate(alg string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.key = newKey(fmt.Sprintf("key-%d", p.last), alg)
}

// Asked lists the paths that were asked for since the last time.
func (p *Provider) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

// ServeHTTP serves discovery, keys and the three endpoints.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.URL.Path)
	fault := p.fault
	p.mu.Unlock()
	serve, ok := map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": p.discovery, "/keys": p.keys,
		"/authorize": p.authorize, "/token": p.token, "/userinfo": p.userInfo,
	}[r.URL.Path]
	switch {
	case !ok:
		http.NotFound(w, r)
	case fault == BrokenAt+Fault(r.URL.Path):
		http.Error(w, "broken", http.StatusInternalServerError)
	case fault == SlowAt+Fault(r.URL.Path):
		<-r.Context().Done() // whoever asked has given up
	case fault == LongAt+Fault(r.URL.Path):
		long(w)
	case fault == MovedAt+Fault(r.URL.Path):
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	default:
		serve(w, r)
	}
}

// long answers without an end that anybody would wait for.
func long(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	block := make([]byte, 64<<10)
	for range 64 { // 4 MB
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	document := map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token",
		"userinfo_endpoint": p.Issuer + "/userinfo", "jwks_uri": p.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256", "ES256", "HS256", "none"},
		"scopes_supported":                               []string{"openid", "profile", "email", "groups"},
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic"},
		"authorization_response_iss_parameter_supported": true,
	}
	switch p.fault {
	case DiscoveryOtherIssuer:
		document["issuer"] = "https://evil.example"
	case DiscoveryPlain:
		document["token_endpoint"] = "http://login.example/token"
	}
	answer(w, http.StatusOK, document)
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.bearer[r.Header.Get("Authorization")]
	if !ok {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	info := map[string]any{"sub": g.person.Claims["sub"]}
	maps.Copy(info, g.person.Info)
	if p.fault == OtherSubject {
		info["sub"] = "somebody else"
	}
	answer(w, http.StatusOK, info)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
