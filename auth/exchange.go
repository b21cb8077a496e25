package auth

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"
)

// exchange is one request for a code or for tokens: what fosite needs to know about it, as the storage that
// fosite asks. Codes are in codegrant.go, refresh tokens in refreshgrant.go, the making of tokens in strategy.go.
type exchange struct {
	oauth       *OAuth
	tx          ExchangeTx // nil where a code is made
	client      Client     // authenticated
	redirectURI string     // where a code goes
	addr        string
	now         time.Time

	presented *StoredToken // the code or refresh token that the client sent
	grant     Grant        // its family
	parent    Secret       // the refresh token that the client sent
	issuedAt  time.Time    // of what is made: now, or when it was made the first time
	issued    StoredToken  // the code
	accessEnd time.Time    // when the access token that was made expires
	reused    bool         // a spent code or refresh token came back
	broken    error        // what the store said, which fosite would hide
}

// find loads a presented token for fosite. A token that does not exist, has expired or is of a dead family is
// fosite.ErrNotFound.
func (x *exchange) find(ctx context.Context, kind TokenKind, signature string) error {
	token, grant, err := x.tx.LockToken(ctx, kind, signature)
	if errors.Is(err, ErrNotFound) {
		return fosite.ErrNotFound
	}
	if err != nil {
		return x.fail(err)
	}
	// What the client does not vouch for any more, it does not get by an old consent. Another's grant is found, so
	// that fosite sees whose it is.
	if grant.ClientID == x.client.ID && !x.client.standsBy(grant) {
		return fosite.ErrNotFound
	}
	x.presented, x.grant, x.issuedAt = &token, grant, x.now
	return nil
}

// fail remembers the store's first error, so that it becomes a 503 and rolls the exchange back.
func (x *exchange) fail(err error) error {
	if err != nil && x.broken == nil {
		x.broken = err
	}
	return err
}

// request is the presented token's request, as fosite knows it. Its ID is the family's.
func (x *exchange) request(session fosite.Session, form url.Values) *fosite.Request {
	owner := x.fositeClient()
	if x.grant.ClientID != x.client.ID {
		owner = &fosite.DefaultClient{ID: x.grant.ClientID} // which fosite finds to be another
	}
	return &fosite.Request{
		ID:              string(x.grant.ID),
		RequestedAt:     x.presented.CreatedAt,
		Client:          owner,
		RequestedScope:  arguments(x.presented.Scopes),
		GrantedScope:    arguments(x.presented.Scopes),
		GrantedAudience: fosite.Arguments{x.grant.Resource},
		Form:            form,
		Session:         session,
	}
}

func arguments(scopes Scopes) fosite.Arguments {
	var a fosite.Arguments
	for _, scope := range scopes {
		a = append(a, string(scope))
	}
	return a
}

// fositeClient is the client in fosite's words. It has been authenticated, so it is public to fosite; the
// requested redirect URI has been matched, so it is the only one.
func (x *exchange) fositeClient() fosite.Client {
	return &fosite.DefaultClient{
		ID:            x.client.ID,
		RedirectURIs:  []string{x.redirectURI},
		GrantTypes:    x.client.Metadata.GrantTypes,
		ResponseTypes: []string{"code"},
		Scopes:        arguments(AllScopes()),
		Audience:      []string{x.oauth.Resource()},
		Public:        true,
	}
}

// GetClient is part of fosite.ClientManager. Only the client that was found before can be meant.
func (x *exchange) GetClient(context.Context, string) (fosite.Client, error) {
	return x.fositeClient(), nil
}

// ClientAssertionJWTValid is part of fosite.ClientManager; assertions are refused before.
func (x *exchange) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

// SetClientAssertionJWT is part of fosite.ClientManager; assertions are refused before.
func (x *exchange) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}

// CreateAccessTokenSession keeps an access token.
func (x *exchange) CreateAccessTokenSession(ctx context.Context, signature string, r fosite.Requester) error {
	x.accessEnd = x.before(accessLife)
	return x.fail(x.tx.InsertToken(ctx, StoredToken{
		Kind: KindAccess, Signature: signature, Grant: x.grant.ID, Scopes: scopesOf(r), CreatedAt: x.issuedAt, ExpiresAt: x.accessEnd,
	}))
}

// before is a token's end: after its life, but not after its family's.
func (x *exchange) before(life time.Duration) time.Time {
	end, last := x.issuedAt.Add(life), x.grant.CreatedAt.Add(refreshLife)
	if end.After(last) {
		return last
	}
	return end
}

func scopesOf(r fosite.Requester) Scopes {
	var scopes Scopes
	for _, scope := range r.GetGrantedScopes() {
		scopes = append(scopes, Scope(scope))
	}
	return scopes
}

// GetAccessTokenSession is part of oauth2.CoreStorage; access tokens are checked by OAuth.Check.
func (x *exchange) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession is part of oauth2.CoreStorage. An access token lives on beside its successor until it
// expires, so that calls that are under way during a refresh do not fail.
func (x *exchange) DeleteAccessTokenSession(context.Context, string) error { return nil }

// RevokeAccessToken is what fosite calls when a spent code or refresh token comes back: the family dies.
func (x *exchange) RevokeAccessToken(ctx context.Context, _ string) error { return x.revokeFamily(ctx) }

// RevokeRefreshToken goes with RevokeAccessToken.
func (x *exchange) RevokeRefreshToken(ctx context.Context, _ string) error {
	return x.revokeFamily(ctx)
}

func (x *exchange) revokeFamily(ctx context.Context) error {
	if x.reused {
		return nil // done already
	}
	x.reused = true
	why := "a spent " + string(x.presented.Kind) + " came back"
	who := Caller{
		User: x.grant.User, UserName: x.grant.UserName, ClientID: x.grant.ClientID, Client: x.grant.Client, Addr: x.addr,
	}
	detail := map[string]string{"presented_by": x.client.ID, "kind": string(x.presented.Kind)}
	if err := x.oauth.record(ctx, who, "oauth.reuse", string(x.grant.ID), false, detail); err != nil {
		return x.fail(err)
	}
	return x.fail(x.tx.RevokeGrant(ctx, x.grant.ID, why, x.now))
}
