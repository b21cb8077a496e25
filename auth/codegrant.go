package auth

import (
	"context"
	"net/url"

	"github.com/ory/fosite"
)

// The authorization code grant: a code is spent by the first attempt to redeem it, good or bad; the second
// attempt kills what the first one got (RFC 6749 section 4.1.2).

// CreateAuthorizeCodeSession takes the code that fosite made; the consent is kept with it in one transaction,
// after fosite is done.
func (x *exchange) CreateAuthorizeCodeSession(_ context.Context, signature string, _ fosite.Requester) error {
	x.issued = StoredToken{
		Kind: KindCode, Signature: signature, Grant: x.grant.ID, Scopes: x.grant.Scopes, RedirectURI: x.redirectURI,
		CreatedAt: x.now, ExpiresAt: x.now.Add(codeLife),
	}
	return nil
}

// CreatePKCERequestSession puts the challenge to its code.
func (x *exchange) CreatePKCERequestSession(_ context.Context, _ string, r fosite.Requester) error {
	x.issued.Challenge = r.GetRequestForm().Get("code_challenge")
	return nil
}

// GetAuthorizeCodeSession finds and spends a code. Fosite asks twice; the second time it is told the same.
func (x *exchange) GetAuthorizeCodeSession(ctx context.Context, signature string, s fosite.Session) (fosite.Requester, error) {
	if x.presented == nil {
		if err := x.find(ctx, KindCode, signature); err != nil {
			return nil, err
		}
		if x.presented.SpentAt != nil {
			return x.codeRequest(s), fosite.ErrInvalidatedAuthorizeCode
		}
		if err := x.tx.SpendToken(ctx, KindCode, signature, x.now); err != nil {
			return nil, x.fail(err)
		}
	}
	if !x.now.Before(x.presented.ExpiresAt) {
		return nil, fosite.ErrNotFound
	}
	return x.codeRequest(s), nil
}

func (x *exchange) codeRequest(s fosite.Session) *fosite.Request {
	return x.request(s, url.Values{"redirect_uri": {x.presented.RedirectURI}})
}

// GetPKCERequestSession finds the challenge of the code that was found before.
func (x *exchange) GetPKCERequestSession(_ context.Context, _ string, s fosite.Session) (fosite.Requester, error) {
	if x.presented == nil {
		return nil, fosite.ErrNotFound
	}
	return x.request(s, url.Values{
		"code_challenge":        {x.presented.Challenge},
		"code_challenge_method": {"S256"},
	}), nil
}

// DeletePKCERequestSession is part of pkce.PKCERequestStorage. The challenge stays with its code.
func (x *exchange) DeletePKCERequestSession(context.Context, string) error { return nil }

// InvalidateAuthorizeCodeSession is part of oauth2.CoreStorage. The code was spent when it was found.
func (x *exchange) InvalidateAuthorizeCodeSession(context.Context, string) error { return nil }
