package auth

import (
	"context"
	"fmt"
	"net/url"

	"github.com/ory/fosite"
)

// The refresh token grant: every use replaces the token. A spent one that comes back within RefreshGrace gets the
// answer of the first time, later it kills the family (RFC 9700 section 4.14.2).

// GetRefreshTokenSession finds a refresh token that may be used.
func (x *exchange) GetRefreshTokenSession(ctx context.Context, signature string, s fosite.Session) (fosite.Requester, error) {
	if err := x.find(ctx, KindRefresh, signature); err != nil {
		return nil, err
	}
	request := x.request(s, url.Values{})
	if spent := x.presented.SpentAt; spent != nil {
		if x.now.Sub(*spent) >= RefreshGrace {
			return request, fosite.ErrInactiveToken
		}
		x.issuedAt = *spent // the answer of the first time, which expires when that does
		return request, nil
	}
	if !x.now.Before(x.presented.ExpiresAt) {
		return nil, fosite.ErrNotFound
	}
	return request, nil
}

// RotateRefreshToken spends the token that was found, once everything about the request is known to be good.
func (x *exchange) RotateRefreshToken(ctx context.Context, _ string, signature string) error {
	if x.presented.SpentAt != nil {
		return nil
	}
	return x.fail(x.tx.SpendToken(ctx, KindRefresh, signature, x.now))
}

// CreateRefreshTokenSession keeps a refresh token. It has all scopes of the one before, even if the access token
// was asked for with fewer (RFC 6749 section 6).
func (x *exchange) CreateRefreshTokenSession(ctx context.Context, signature, _ string, _ fosite.Requester) error {
	return x.fail(x.tx.InsertToken(ctx, StoredToken{
		Kind: KindRefresh, Signature: signature, Grant: x.grant.ID, Scopes: x.presented.Scopes,
		CreatedAt: x.issuedAt, ExpiresAt: x.before(refreshIdle),
	}))
}

// DeleteRefreshTokenSession is what fosite calls before it revokes a family. The spent token stays, so that it is
// known when it comes back once more.
func (x *exchange) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// narrow gives the access token the scopes that a refresh asks for, which must be among those granted.
func narrow(request fosite.AccessRequester, scope string) error {
	wanted := ParseScopes(scope)
	if len(wanted) == 0 {
		return nil
	}
	granted := scopesOf(request)
	for _, scope := range wanted {
		if !granted.Has(scope) {
			return refuse("invalid_scope", "The scope %q was not granted.", scope)
		}
	}
	r, ok := request.(*fosite.AccessRequest)
	if !ok {
		return fmt.Errorf("narrow the scopes of a %T", request) // fosite's interface can only add scopes
	}
	r.GrantedScope = arguments(wanted)
	return nil
}
