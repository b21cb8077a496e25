package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// provider is what the provider's discovery document said, ready for use.
type provider struct {
	*oidc.Provider
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier // keeps the provider's keys
	client   *http.Client
	sendsIss bool // RFC 9207: an answer without iss is not the provider's
	now      func() time.Time
}

// newVerifier has no keys yet. The algorithms are those of discovery that are asymmetric, and RS256 if it names none.
func (p *provider) newVerifier(ctx context.Context) *oidc.IDTokenVerifier {
	return p.VerifierContext(oidc.ClientContext(ctx, p.client), &oidc.Config{ClientID: p.oauth.ClientID, Now: p.now})
}

// How the provider is asked.
const (
	discoveryLife    = time.Hour        // then it is asked again what it says of itself
	discoveryRetry   = 10 * time.Second // after a failure; meanwhile nobody waits for it
	discoveryTimeout = 3 * time.Second  // a login page waits this long for it, once
	providerTimeout  = 10 * time.Second
	maxProviderBody  = 1 << 20
)

// provider is lazy: the control plane starts without the provider, and finds it when it comes.
func (o *OIDC) provider(ctx context.Context) (*provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.Accounts.Now()
	if now.Before(o.askAgain) {
		return o.discovered()
	}
	if o.client == nil {
		o.client = providerClient()
	}
	// Not the reader's context: that he has gone is no reason to think the provider away.
	ctx, done := context.WithTimeout(oidc.ClientContext(context.WithoutCancel(ctx), o.client), discoveryTimeout)
	defer done()
	found, err := o.discover(ctx)
	o.askAgain = now.Add(discoveryLife)
	if err != nil {
		o.Accounts.Log.WarnContext(ctx, "login provider not discovered", "issuer", o.Provider.Issuer, "err", brief(err))
		o.away, o.askAgain = fmt.Errorf("%w: %w", ErrProviderAway, err), now.Add(discoveryRetry)
		return o.discovered()
	}
	o.known, o.away = found, nil
	return o.known, nil
}

// discovered is called with the lock held. What was once discovered serves until it can be again.
func (o *OIDC) discovered() (*provider, error) {
	if o.known == nil {
		return nil, o.away
	}
	return o.known, nil
}

func (o *OIDC) discover(ctx context.Context) (*provider, error) {
	found, err := oidc.NewProvider(ctx, o.Provider.Issuer)
	if err != nil {
		return nil, err
	}
	var document struct {
		JWKS     string   `json:"jwks_uri"`
		Scopes   []string `json:"scopes_supported"`
		Auth     []string `json:"token_endpoint_auth_methods_supported"`
		SendsIss bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&document); err != nil {
		return nil, err
	}
	endpoint := found.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, document.JWKS} {
		if err := o.checkEndpoint(address); err != nil {
			return nil, err
		}
	}
	if address := found.UserInfoEndpoint(); address != "" {
		if err := o.checkEndpoint(address); err != nil {
			return nil, err
		}
	}
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // the default, and what a provider that says nothing takes
	if slices.Contains(document.Auth, "client_secret_post") && !slices.Contains(document.Auth, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	p := &provider{
		Provider: found, client: o.client, sendsIss: document.SendsIss, now: o.Accounts.Now,
		oauth: oauth2.Config{
			ClientID: o.Provider.ClientID, ClientSecret: string(o.Provider.ClientSecret), Endpoint: endpoint,
			RedirectURL: o.callback(), Scopes: o.scopes(document.Scopes),
		},
	}
	p.verifier = p.newVerifier(ctx)
	return p, nil
}

// scopes asks for groups only where the provider has such a scope; others refuse one that they do not know.
func (o *OIDC) scopes(supported []string) []string {
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	if o.Provider.wantsGroups() && slices.Contains(supported, "groups") {
		scopes = append(scopes, "groups")
	}
	return scopes
}

// checkEndpoint admits https, and plain http only if the issuer itself is on plain http, which only loopback may be.
func (o *OIDC) checkEndpoint(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	issuer, err := url.Parse(o.Provider.Issuer)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && issuer.Scheme == "http" && isLoopback(address)) {
		return nil
	}
	return fmt.Errorf("the provider's endpoint %q is not https", address)
}

// providerClient asks the provider and follows it nowhere else: a redirect would take a code or the secret along.
func providerClient() *http.Client {
	return &http.Client{
		Timeout: providerTimeout,
		Transport: boundedBodies{&http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2,
			IdleConnTimeout: time.Minute, TLSHandshakeTimeout: providerTimeout, MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// boundedBodies cuts off answers that are longer than anything a provider has to say.
type boundedBodies struct{ next http.RoundTripper }

// RoundTrip is http.RoundTripper's.
func (b boundedBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{Reader: io.LimitReader(answer.Body, maxProviderBody+1), Closer: answer.Body}
	}
	return answer, err
}

type boundedBody struct {
	io.Reader
	io.Closer
	read int
}

var errLongAnswer = errors.New("the provider's answer is too long")

// Read is io.Reader's.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	if b.read > maxProviderBody {
		return 0, errLongAnswer
	}
	return n, err
}

// brief is an error for the log: the libraries put whole answers into theirs.
func brief(err error) string {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Sprintf("status %d, error %q", refused.Response.StatusCode, cut(refused.ErrorCode))
	}
	return cut(err.Error())
}

const maxBrief = 300 // bytes

func cut(text string) string {
	if len(text) > maxBrief {
		return text[:maxBrief] + "…"
	}
	return text
}
