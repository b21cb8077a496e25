package harness

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// OAuth is an MCP client that connects as real ones do: from the 401 to the metadata, registration, the login and
// consent pages, and a code that it trades for tokens with PKCE.
type OAuth struct {
	MCP      string   // URL of the MCP endpoint, all that a client is told
	Browser  *Browser // of the person who connects the client
	Redirect string   // where the code is sent to; nobody has to listen there
	Scope    string   // empty: what the challenge names, then what the metadata lists

	Resource Resource
	Server   AuthorizationServer
	ClientID string
}

// Resource is protected resource metadata (RFC 9728).
type Resource struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported"`
}

// AuthorizationServer is authorization server metadata (RFC 8414).
type AuthorizationServer struct {
	Issuer               string   `json:"issuer"`
	Authorization        string   `json:"authorization_endpoint"`
	Token                string   `json:"token_endpoint"`
	Registration         string   `json:"registration_endpoint"`
	Revocation           string   `json:"revocation_endpoint"`
	CodeChallengeMethods []string `json:"code_challenge_methods_supported"`
	IssInResponse        bool     `json:"authorization_response_iss_parameter_supported"`
	Scopes               []string `json:"scopes_supported"`
}

// Code is an authorization code and what is needed to redeem it.
type Code struct {
	Code, Verifier string
}

// Tokens are what a client gets for a code.
type Tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Scope   string `json:"scope"`
	Expires int    `json:"expires_in"`
}

// ErrorResponse is an error of the token, registration or revocation endpoint (RFC 6749 §5.2).
type ErrorResponse struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (e *ErrorResponse) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Description)
}

// metadataLink is the parameter of the challenge that leads to the metadata (RFC 9728 §5.1).
var (
	metadataLink   = regexp.MustCompile(`resource_metadata="([^"]+)"`)
	challengeScope = regexp.MustCompile(`scope="([^"]+)"`)
)

// Discover finds the authorization server, beginning with nothing but the endpoint's answer to a stranger.
func (o *OAuth) Discover(ctx context.Context) error {
	resp, err := postJSON(ctx, o.MCP, "", rpc("initialize", fields{}), nil)
	if err != nil {
		return fmt.Errorf("discovering: %w", err)
	}
	resp.Body.Close()
	challenge := resp.Header.Get("WWW-Authenticate")
	link := metadataLink.FindStringSubmatch(challenge)
	if resp.StatusCode != http.StatusUnauthorized || link == nil {
		return fmt.Errorf("discovering: a stranger got %s with the challenge %q", resp.Status, challenge)
	}
	if scope := challengeScope.FindStringSubmatch(challenge); scope != nil && o.Scope == "" {
		o.Scope = scope[1]
	}
	if err := getJSON(ctx, link[1], &o.Resource); err != nil {
		return fmt.Errorf("discovering: %w", err)
	}
	if o.Resource.Resource != o.MCP || len(o.Resource.AuthorizationServers) == 0 {
		return fmt.Errorf("discovering: %s describes %+v, not %s", link[1], o.Resource, o.MCP)
	}
	issuer := o.Resource.AuthorizationServers[0]
	if err := getJSON(ctx, issuer+"/.well-known/oauth-authorization-server", &o.Server); err != nil {
		return fmt.Errorf("discovering: %w", err)
	}
	if o.Server.Issuer != issuer {
		return fmt.Errorf("discovering: the metadata of %s names the issuer %s", issuer, o.Server.Issuer)
	}
	return nil
}

// AllScopes asks for everything that the resource offers and, as Claude does, for a refresh token if the
// authorization server offers that.
func (o *OAuth) AllScopes() {
	o.Scope = strings.Join(o.Resource.Scopes, " ")
	const offline = "offline_access"
	if slices.Contains(o.Server.Scopes, offline) {
		o.Scope += " " + offline
	}
}

// Register registers the client dynamically (RFC 7591).
func (o *OAuth) Register(ctx context.Context) error {
	var registered struct {
		ClientID string `json:"client_id"`
	}
	metadata := fields{
		"client_name": "Scripted client", "redirect_uris": []string{o.Redirect}, "application_type": "native",
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": "none",
	}
	resp, err := postJSON(ctx, o.Server.Registration, "", metadata, nil)
	if err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("registering: %w", readError(resp))
	}
	if err := json.NewDecoder(resp.Body).Decode(&registered); err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	o.ClientID = registered.ClientID
	return nil
}

// Authorize walks through login and consent and checks what comes back.
func (o *OAuth) Authorize(ctx context.Context) (Code, error) {
	code := Code{Verifier: rand.Text() + rand.Text()}
	state := rand.Text()
	challenge := sha256.Sum256([]byte(code.Verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {o.ClientID}, "redirect_uri": {o.Redirect}, "scope": {o.Scope},
		"state": {state}, "resource": {o.Resource.Resource}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	back, err := o.Browser.Consent(ctx, o.Server.Authorization+"?"+query.Encode(), o.Redirect)
	if err != nil {
		return Code{}, fmt.Errorf("authorizing: %w", err)
	}
	answer := back.Query()
	if answer.Get("state") != state || answer.Get("iss") != o.Server.Issuer {
		return Code{}, fmt.Errorf("authorizing: state %q and iss %q came back, want %q and %q",
			answer.Get("state"), answer.Get("iss"), state, o.Server.Issuer)
	}
	code.Code = answer.Get("code")
	if code.Code == "" {
		return Code{}, fmt.Errorf("authorizing: %s: %s", answer.Get("error"), answer.Get("error_description"))
	}
	return code, nil
}

// Consent opens an authorization request, logs in if asked, and allows it. What it returns is where that leads to.
func (b *Browser) Consent(ctx context.Context, request, redirect string) (*url.URL, error) {
	target, err := url.Parse(request)
	if err != nil {
		return nil, err
	}
	page, back, err := b.follow(ctx, http.MethodGet, target, nil, redirect)
	for range 3 { // login, consent, and one to spare
		if err != nil || back != nil {
			return back, err
		}
		form, button, unknown := b.answer(page)
		if unknown != nil {
			return nil, unknown
		}
		page, back, err = b.submit(ctx, form, button, redirect)
	}
	if back == nil && err == nil {
		err = fmt.Errorf("no end of pages, the last is %s", page.URL)
	}
	return back, err
}

// Deliver opens an authorization request as Consent does, and brings the answer to the client that listens at redirect.
func (b *Browser) Deliver(ctx context.Context, request, redirect string) error {
	back, err := b.Consent(ctx, request, redirect)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, back.String(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// answer fills in the login or the consent page. Whoever has a login provider logs in there.
func (b *Browser) answer(page *Page) (Form, Button, error) {
	if form, button, err := page.Form("log in with "); err == nil && b.Provider != "" {
		return form, button, nil
	}
	if form, asks := page.passwordForm(); asks {
		b.fill(form)
		return form, Button{}, nil
	}
	return page.Form("allow")
}

// Redeem trades a code for tokens.
func (o *OAuth) Redeem(ctx context.Context, code Code) (Tokens, error) {
	return o.token(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {code.Code}, "code_verifier": {code.Verifier},
		"redirect_uri": {o.Redirect}, "client_id": {o.ClientID}, "resource": {o.Resource.Resource},
	})
}

// RefreshTokens trades a refresh token for new tokens.
func (o *OAuth) RefreshTokens(ctx context.Context, refresh string) (Tokens, error) {
	return o.token(ctx, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {refresh},
		"client_id": {o.ClientID}, "resource": {o.Resource.Resource},
	})
}

func (o *OAuth) token(ctx context.Context, form url.Values) (Tokens, error) {
	resp, err := postForm(ctx, o.Server.Token, form)
	if err != nil {
		return Tokens{}, fmt.Errorf("asking for tokens: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Tokens{}, fmt.Errorf("asking for tokens: %w", readError(resp))
	}
	var tokens Tokens
	if err := json.NewDecoder(resp.Body).Decode(&tokens); err != nil {
		return Tokens{}, fmt.Errorf("asking for tokens: %w", err)
	}
	return tokens, nil
}

// Revoke ends a token (RFC 7009).
func (o *OAuth) Revoke(ctx context.Context, token string) error {
	resp, err := postForm(ctx, o.Server.Revocation, url.Values{"token": {token}, "client_id": {o.ClientID}})
	if err != nil {
		return fmt.Errorf("revoking: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("revoking: %w", readError(resp))
	}
	return nil
}
