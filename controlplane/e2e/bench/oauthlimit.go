package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/hmac"
)

// oauthLimit is what an authorization server on fosite can do at best: the same grants over its store in memory,
// without login, consent, audit or disk.
func oauthLimit() http.Handler {
	config := &fosite.Config{
		GlobalSecret: []byte(rand.Text() + rand.Text()), EnforcePKCE: true, MinParameterEntropy: 1,
		AccessTokenLifespan: time.Hour, RefreshTokenScopes: []string{},
		RedirectSecureChecker: func(context.Context, *url.URL) bool { return true },
	}
	store := &limitStore{MemoryStore: storage.NewMemoryStore()}
	store.Clients[limitClient] = &fosite.DefaultClient{
		ID: limitClient, Public: true, RedirectURIs: []string{redirect}, ResponseTypes: []string{"code"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{limitScope},
	}
	strategy := oauth2.NewHMACSHAStrategy(&hmac.HMACStrategy{Config: config}, config)
	codes := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: strategy, RefreshTokenStrategy: strategy, AuthorizeCodeStrategy: strategy,
		CoreStorage: store, TokenRevocationStorage: store, Config: config,
	}
	challenges := &pkce.Handler{AuthorizeCodeStrategy: strategy, Storage: store, Config: config}
	config.AuthorizeEndpointHandlers.Append(codes)
	config.AuthorizeEndpointHandlers.Append(challenges)
	config.TokenEndpointHandlers.Append(codes)
	config.TokenEndpointHandlers.Append(challenges)
	config.TokenEndpointHandlers.Append(&oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: strategy, RefreshTokenStrategy: strategy, TokenRevocationStorage: store, Config: config,
	})
	config.TokenIntrospectionHandlers.Append(&oauth2.CoreValidator{CoreStrategy: strategy, CoreStorage: store, Config: config})
	provider := fosite.NewOAuth2Provider(store, config)

	mux := http.NewServeMux()
	mux.HandleFunc("POST /authorize", func(w http.ResponseWriter, r *http.Request) { limitAuthorize(provider, w, r) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { limitIssue(provider, w, r) })
	mux.HandleFunc("POST /introspect", func(w http.ResponseWriter, r *http.Request) {
		_, _, err := provider.IntrospectToken(r.Context(), fosite.AccessTokenFromRequest(r), fosite.AccessToken, &fosite.DefaultSession{})
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

const (
	limitClient = "limit"
	limitScope  = "all"
)

// limitStore is fosite's own, which in v0.49.0 marks refresh tokens as used without the lock under which they are read.
type limitStore struct {
	*storage.MemoryStore
	mu sync.RWMutex // guards the refresh tokens
}

// GetRefreshTokenSession finds a refresh token.
func (s *limitStore) GetRefreshTokenSession(ctx context.Context, signature string, session fosite.Session) (fosite.Requester, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.MemoryStore.GetRefreshTokenSession(ctx, signature, session)
}

// RotateRefreshToken marks a refresh token as used.
func (s *limitStore) RotateRefreshToken(ctx context.Context, requestID, signature string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.MemoryStore.RotateRefreshToken(ctx, requestID, signature)
}

func limitAuthorize(provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	request.GrantScope(limitScope)
	response, err := provider.NewAuthorizeResponse(ctx, request, &fosite.DefaultSession{Subject: "alice"})
	if err != nil {
		provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	provider.WriteAuthorizeResponse(ctx, w, request, response)
}

func limitIssue(provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := provider.NewAccessRequest(ctx, r, &fosite.DefaultSession{})
	if err != nil {
		provider.WriteAccessError(ctx, w, request, err)
		return
	}
	response, err := provider.NewAccessResponse(ctx, request)
	if err != nil {
		provider.WriteAccessError(ctx, w, request, err)
		return
	}
	provider.WriteAccessResponse(ctx, w, request, response)
}
