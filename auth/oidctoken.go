package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// redeem trades a code for what the provider says of the person, and checks that it says so of this login.
func (o *OIDC) redeem(ctx context.Context, p *provider, login ProviderLogin, code string, keys loginKeys) (claims, error) {
	ctx, done := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer done()
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(string(keys.verifier)))
	if err != nil {
		return claims{}, o.exchangeFailed(ctx, err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := p.verify(ctx, raw)
	if err != nil {
		return claims{}, verifyFailed(err)
	}
	person, err := o.checkToken(idToken, token.AccessToken, login, keys)
	if err != nil {
		return claims{}, fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	if !o.Provider.lacks(person) || p.UserInfoEndpoint() == "" {
		return person, nil
	}
	return o.askUserInfo(ctx, p, token, person)
}

// verify checks an ID token's signature, issuer, audience and life. The keys of the set may be those of a request that
// another login made before the provider changed its key, so a token that does not hold is checked once more, with keys
// that are asked for after it came.
func (p *provider) verify(ctx context.Context, token string) (*oidc.IDToken, error) {
	if verified, err := p.verifier.Verify(ctx, token); err == nil {
		return verified, nil
	}
	return p.newVerifier(ctx).Verify(ctx, token)
}

// exchangeFailed tells a code that is not this login's from a provider that cannot serve, and from one that does
// not know us, which nobody at a browser can mend.
func (o *OIDC) exchangeFailed(ctx context.Context, err error) error {
	o.Accounts.Log.WarnContext(ctx, "code not redeemed", "issuer", o.Provider.Issuer, "err", brief(err))
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return fmt.Errorf("%w: %s", ErrProviderAway, brief(err))
	}
	if refused.ErrorCode == "invalid_grant" || refused.Response.StatusCode == http.StatusBadRequest {
		return fmt.Errorf("%w: code refused, %s", ErrNotVerified, brief(err))
	}
	return fmt.Errorf("%w: %s", ErrProviderAway, brief(err))
}

// verifyFailed keeps the provider's keys being out of reach apart from a token that does not hold.
func verifyFailed(err error) error {
	var network interface{ Timeout() bool }
	if errors.As(err, &network) {
		return fmt.Errorf("%w: %s", ErrProviderAway, brief(err))
	}
	return fmt.Errorf("%w: %s", ErrNotVerified, brief(err))
}

// clockSkew is how far the provider's clock may be from ours.
const clockSkew = 5 * time.Minute

// maxSubject is OpenID Connect Core 1.0 section 2's.
const maxSubject = 255

// checkToken checks what go-oidc leaves to its user: signature, issuer, audience and expiry are done (OpenID
// Connect Core 1.0 section 3.1.3.7, whose numbers stand here).
func (o *OIDC) checkToken(t *oidc.IDToken, access string, login ProviderLogin, keys loginKeys) (claims, error) {
	var raw json.RawMessage
	if err := t.Claims(&raw); err != nil {
		return claims{}, err
	}
	person, err := parseClaims(raw, o.Provider.groupsClaim())
	if err != nil {
		return claims{}, err
	}
	var party struct {
		AZP *string `json:"azp"`
	}
	if err := t.Claims(&party); err != nil {
		return claims{}, err
	}
	switch now := o.Accounts.Now(); {
	case party.AZP == nil && len(t.Audience) > 1: // 4
		return claims{}, errors.New("several audiences, but no azp")
	case party.AZP != nil && *party.AZP != o.Provider.ClientID: // 5
		return claims{}, errors.New("azp is another client")
	case t.IssuedAt.After(now.Add(clockSkew)): // 10
		return claims{}, errors.New("issued in the future")
	case t.IssuedAt.Before(login.CreatedAt.Add(-clockSkew)):
		return claims{}, errors.New("issued before this login began")
	case !sameSecret(t.Nonce, keys.nonce): // 11
		return claims{}, errors.New("nonce is another login's")
	case t.Subject == "" || t.Subject != person.subject || len(t.Subject) > maxSubject || !plainText(t.Subject, maxSubject):
		return claims{}, errors.New("sub is missing or malformed")
	}
	if t.AccessTokenHash == "" {
		return person, nil
	}
	return person, t.VerifyAccessToken(access)
}

// groupsClaim is empty if groups do not matter.
func (p ProviderConfig) groupsClaim() string {
	if !p.wantsGroups() {
		return ""
	}
	return p.GroupsClaim
}

// lacks reports whether UserInfo should be asked for what the ID token does not say.
func (p ProviderConfig) lacks(c claims) bool {
	return c.email == "" || len(p.AllowedDomains) > 0 && !c.hasVerified || p.wantsGroups() && !c.hasGroups && !c.groupsAway
}

// askUserInfo completes what the ID token said. UserInfo is not signed; it counts only for the same subject (section
// 5.3.2).
func (o *OIDC) askUserInfo(ctx context.Context, p *provider, token *oauth2.Token, person claims) (claims, error) {
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return claims{}, fmt.Errorf("%w: UserInfo: %s", ErrProviderAway, brief(err))
	}
	var raw json.RawMessage
	if err := info.Claims(&raw); err != nil {
		return claims{}, fmt.Errorf("%w: UserInfo: %s", ErrNotVerified, brief(err))
	}
	more, err := parseClaims(raw, o.Provider.groupsClaim())
	if err != nil {
		return claims{}, fmt.Errorf("%w: UserInfo: %w", ErrNotVerified, err)
	}
	if more.subject != person.subject || info.Subject != person.subject {
		return claims{}, fmt.Errorf("%w: UserInfo is about another subject", ErrNotVerified)
	}
	return person.complete(more), nil
}
