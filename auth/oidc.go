package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC lets people in for whom a company's provider vouches, beside those who have a password here: the
// authorization code flow of OpenID Connect Core 1.0 with PKCE. A nil OIDC is none. Its exported fields are set
// once, before use.
type OIDC struct {
	Provider ProviderConfig
	Accounts *Accounts
	Store    IdentityStore

	starts Limiter

	mu       sync.Mutex // guards the fields below
	client   *http.Client
	known    *provider // nil: not discovered yet
	away     error     // why the last discovery failed
	askAgain time.Time
}

// ProviderConfig is a provider of identities and whom it may let in.
type ProviderConfig struct {
	Issuer         string // exactly as the provider writes it
	ClientID       string
	ClientSecret   Secret
	Name           string   // for people
	AllowedDomains []string // of verified e-mail addresses, in lower case; none: any address, even without one
	GroupsClaim    string
	AdminGroup     string   // its members are administrators, and nobody else is; empty: roles are given here
	MemberGroups   []string // only their members, and the administrators, are let in; none: everybody
}

// The addresses of the flow. One callback serves every provider: the login that it ends says which it was.
const (
	OIDCBeginPath    = "/login/oidc"
	OIDCCallbackPath = "/login/oidc/callback"
)

// Errors of logins by a provider. Edges show their words; what they wrap is for the log.
var (
	// ErrProviderAway: the provider cannot be reached, or cannot serve; try again.
	ErrProviderAway = errors.New("the login service cannot be reached at the moment")
	// ErrStaleLogin: this browser has no such login under way: another's, an old one, or one that was used.
	ErrStaleLogin = errors.New("this login has expired, or was begun in another browser; begin it again")
	// ErrNotVerified: what the provider answered does not prove who the person is.
	ErrNotVerified = errors.New("the login service's answer could not be verified; begin again")
	// ErrNotAdmitted is matched by every NotAdmittedError.
	ErrNotAdmitted = errors.New("not admitted")
)

// NotAdmittedError says why somebody whom the provider knows is not let in, in words for him. It matches
// ErrNotAdmitted.
type NotAdmittedError struct {
	Words string
	// Unknown means that the provider did not say enough to decide, rather than that he is not to be let in.
	Unknown bool
}

func (e *NotAdmittedError) Error() string { return e.Words }

// Is makes errors.Is(err, ErrNotAdmitted) true.
func (e *NotAdmittedError) Is(target error) bool { return target == ErrNotAdmitted }

const providerLoginLife = 10 * time.Minute

// startRate bounds how often logins are begun from one network: each takes a row.
var startRate = Rate{PerSecond: 1, Burst: 30}

// Departure is a browser's way to the provider.
type Departure struct {
	Address string
	Cookie  *http.Cookie // by which the browser is known when it comes back
}

// Begin sends a browser to the provider, to come back to one of our pages logged in.
func (o *OIDC) Begin(ctx context.Context, returnTo, addr string) (Departure, error) {
	return o.begin(ctx, ProviderLogin{ReturnTo: ReturnTo(returnTo)}, addr)
}

// BeginAgain is Begin for a person who is logged in, and is to prove who he is again: the provider is to ask him.
func (o *OIDC) BeginAgain(ctx context.Context, returnTo, addr string) (Departure, error) {
	return o.begin(ctx, ProviderLogin{ReturnTo: ReturnTo(returnTo), Again: true}, addr, oauth2.SetAuthURLParam("prompt", "login"))
}

// BeginConnect sends the caller's browser to the provider, to come back with an identity for his account. Token is
// the cookie's.
func (o *OIDC) BeginConnect(ctx context.Context, c Caller, token Secret) (Departure, error) {
	if !c.Scopes.Has(ScopeManage) {
		return Departure{}, &ScopeError{ScopeManage}
	}
	if _, err := o.Accounts.recent(ctx, c, token); err != nil {
		return Departure{}, err
	}
	return o.begin(ctx, ProviderLogin{ReturnTo: "/account", Connect: c.User}, c.Addr)
}

func (o *OIDC) begin(ctx context.Context, login ProviderLogin, addr string, more ...oauth2.AuthCodeOption) (Departure, error) {
	now := o.Accounts.Now()
	if wait := o.starts.Take(Network(addr), startRate, now); wait > 0 {
		return Departure{}, &ThrottledError{RetryAfter: wait}
	}
	p, err := o.provider(ctx)
	if err != nil {
		return Departure{}, err
	}
	state, browser := newSecret(), newSecret()
	login.StateHash, login.BrowserHash, login.Issuer = state.hash(), browser.hash(), o.Provider.Issuer
	login.CreatedAt, login.ExpiresAt = now, now.Add(providerLoginLife)
	if err := o.Store.InsertProviderLogin(ctx, login); err != nil {
		return Departure{}, err
	}
	verifier := string(browser.derive("verifier", state))
	options := append(more, oauth2.S256ChallengeOption(verifier), oidc.Nonce(string(browser.derive("nonce", state))))
	address := p.oauth.AuthCodeURL(string(state), options...)
	return Departure{Address: address, Cookie: o.cookie(state, browser)}, nil
}

// derive makes a secret for one purpose and one login out of the browser's. Whoever reads the store learns none of
// them.
func (s Secret) derive(purpose string, state Secret) Secret {
	mac := hmac.New(sha256.New, []byte(s))
	mac.Write([]byte(purpose + " " + string(state)))
	return Secret(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

// cookie ties a login to the browser that began it. Each login has its own, so that two can be under way at once.
// Lax, since the browser comes back from another site.
func (o *OIDC) cookie(state, browser Secret) *http.Cookie {
	return &http.Cookie{
		Name: o.cookieName(state), Value: string(browser), Path: "/", MaxAge: int(providerLoginLife.Seconds()),
		HttpOnly: true, Secure: o.Accounts.secure(), SameSite: http.SameSiteLaxMode,
	}
}

func (o *OIDC) cookieName(state Secret) string {
	sum := base64.RawURLEncoding.EncodeToString(state.hash())
	return o.Accounts.cookieName() + "-login-" + sum[:12]
}

// NoCookie makes the browser forget the login that it has come back from.
func (o *OIDC) NoCookie(r *http.Request) *http.Cookie {
	c := o.cookie(Secret(r.URL.Query().Get("state")), "")
	c.MaxAge = -1
	return c
}

// Ready reports why nobody can be sent to the provider at the moment; nil if somebody can.
func (o *OIDC) Ready(ctx context.Context) error {
	_, err := o.provider(ctx)
	return err
}

func (o *OIDC) callback() string { return o.Accounts.PublicURL + OIDCCallbackPath }

// host is the provider's, for audit lines.
func (o *OIDC) host() string {
	u, err := url.Parse(o.Provider.Issuer)
	if err != nil {
		return o.Provider.Issuer
	}
	return u.Host
}
