package auth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"
)

// provider is fosite for one request, whose storage is that request's exchange. What fosite v0.49.0 gets wrong
// or leaves out is done before it is asked: who the client is, where it may be answered, which parameters may
// repeat, which resource is meant, when a token has expired.
func (o *OAuth) provider(x *exchange) fosite.OAuth2Provider {
	config := &fosite.Config{
		// Not EnforcePKCEForPublicClients, which lets a confidential client that failed once come back without a
		// verifier.
		EnforcePKCE:           true,
		AccessTokenLifespan:   accessLife,
		RefreshTokenLifespan:  refreshIdle,
		AuthorizeCodeLifespan: codeLife,
		RefreshTokenScopes:    []string{string(ScopeOffline)},
		ScopeStrategy:         fosite.ExactScopeStrategy,
		MinParameterEntropy:   1,                                                    // of the state; 0 would mean 8, and PKCE and iss protect without it
		RedirectSecureChecker: func(context.Context, *url.URL) bool { return true }, // checked at registration
		ClientAuthenticationStrategy: func(context.Context, *http.Request, url.Values) (fosite.Client, error) {
			return x.fositeClient(), nil
		},
	}
	codes := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: x, RefreshTokenStrategy: x, AuthorizeCodeStrategy: x,
		CoreStorage: x, TokenRevocationStorage: x, Config: config,
	}
	refreshes := &oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: x, RefreshTokenStrategy: x, TokenRevocationStorage: x, Config: config,
	}
	challenges := &pkce.Handler{AuthorizeCodeStrategy: x, Storage: x, Config: config}
	config.AuthorizeEndpointHandlers.Append(codes)
	config.AuthorizeEndpointHandlers.Append(challenges) // after the code that it belongs to
	config.TokenEndpointHandlers.Append(codes)
	config.TokenEndpointHandlers.Append(challenges)
	config.TokenEndpointHandlers.Append(refreshes)
	return fosite.NewOAuth2Provider(x, config)
}

// issueCode has fosite make the code for a grant.
func (o *OAuth) issueCode(ctx context.Context, a authorization, grant Grant) (Secret, StoredToken, error) {
	x := &exchange{oauth: o, client: a.client, redirectURI: a.redirectURI, grant: grant, now: grant.CreatedAt}
	provider := o.provider(x)
	form := url.Values{
		"client_id":             {a.client.ID},
		"redirect_uri":          {a.redirectURI},
		"response_type":         {"code"},
		"scope":                 {a.scopes.String()},
		"code_challenge":        {a.challenge},
		"code_challenge_method": {"S256"},
		"state":                 {"ours"}, // fosite insists on one; the client's own is echoed by redirect
	}
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{}, Header: http.Header{}, Form: form}
	request, err := provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		return "", StoredToken{}, err
	}
	for _, scope := range a.scopes {
		request.GrantScope(string(scope))
	}
	request.GrantAudience(grant.Resource)
	response, err := provider.NewAuthorizeResponse(ctx, request, &fosite.DefaultSession{})
	if err != nil {
		return "", StoredToken{}, err
	}
	return Secret(response.GetCode()), x.issued, nil
}
