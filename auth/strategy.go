package auth

import (
	"context"

	"github.com/ory/fosite"
)

// How fosite has codes and tokens made and checked. Their expiry is judged by our clock where they are found.

// GenerateAuthorizeCode makes a code.
func (x *exchange) GenerateAuthorizeCode(context.Context, fosite.Requester) (token, signature string, err error) {
	code, signature := x.oauth.tokens().new(KindCode)
	return string(code), signature, nil
}

// GenerateAccessToken makes an access token.
func (x *exchange) GenerateAccessToken(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	return x.generate(KindAccess, scopesOf(r))
}

// GenerateRefreshToken makes a refresh token.
func (x *exchange) GenerateRefreshToken(context.Context, fosite.Requester) (token, signature string, err error) {
	return x.generate(KindRefresh, nil)
}

func (x *exchange) generate(kind TokenKind, scopes Scopes) (token, signature string, err error) {
	var secret Secret
	if x.parent == "" {
		secret, signature = x.oauth.tokens().new(kind)
		return string(secret), signature, nil
	}
	secret, signature = x.oauth.tokens().successor(kind, x.parent, scopes.String())
	return string(secret), signature, nil
}

// AuthorizeCodeSignature is the key by which a code is stored; of what is not a code of ours it is empty.
func (x *exchange) AuthorizeCodeSignature(_ context.Context, token string) string {
	return x.signature(KindCode, token)
}

// AccessTokenSignature is the key by which an access token is stored.
func (x *exchange) AccessTokenSignature(_ context.Context, token string) string {
	return x.signature(KindAccess, token)
}

// RefreshTokenSignature is the key by which a refresh token is stored.
func (x *exchange) RefreshTokenSignature(_ context.Context, token string) string {
	return x.signature(KindRefresh, token)
}

func (x *exchange) signature(kind TokenKind, token string) string {
	signature, _ := x.oauth.tokens().verify(kind, Secret(token))
	return signature
}

// ValidateAuthorizeCode checks that a code was made here.
func (x *exchange) ValidateAuthorizeCode(_ context.Context, _ fosite.Requester, token string) error {
	return x.validate(KindCode, token)
}

// ValidateAccessToken checks that an access token was made here.
func (x *exchange) ValidateAccessToken(_ context.Context, _ fosite.Requester, token string) error {
	return x.validate(KindAccess, token)
}

// ValidateRefreshToken checks that a refresh token was made here.
func (x *exchange) ValidateRefreshToken(_ context.Context, _ fosite.Requester, token string) error {
	return x.validate(KindRefresh, token)
}

func (x *exchange) validate(kind TokenKind, token string) error {
	if _, ok := x.oauth.tokens().verify(kind, Secret(token)); !ok {
		return fosite.ErrTokenSignatureMismatch
	}
	return nil
}
