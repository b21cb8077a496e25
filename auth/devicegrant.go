package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ory/fosite"
)

// redeemDevice is the device authorization grant (RFC 8628 section 3.4), which fosite v0.49.0 does not have. A
// refusal commits too: it notes when the device asked.
func (o *OAuth) redeemDevice(r *http.Request, client Client, form url.Values) (fosite.AccessResponder, error) {
	signature, ok := o.tokens().verify(KindDevice, Secret(form.Get("device_code")))
	if !ok {
		return nil, unknownDevice()
	}
	var answer fosite.AccessResponder
	var refused *refusal
	ctx := r.Context()
	err := o.Store.Exchange(ctx, func(tx ExchangeTx) error {
		x := &exchange{oauth: o, tx: tx, client: client, addr: RemoteAddr(r), now: o.Now()}
		var err error
		answer, err = x.redeemDevice(ctx, signature, form["resource"])
		if errors.As(err, &refused) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return answer, nil
}

// unknownDevice does not tell what is another client's from what is nobody's.
func unknownDevice() *refusal {
	return refuse("invalid_grant", "The device_code is unknown, or its tokens have been fetched.")
}

func (x *exchange) redeemDevice(ctx context.Context, signature string, resources []string) (fosite.AccessResponder, error) {
	request, err := x.tx.LockDevice(ctx, signature)
	if errors.Is(err, ErrNotFound) || err == nil && (request.ClientID != x.client.ID || request.SpentAt != nil) {
		return nil, unknownDevice()
	}
	if err != nil {
		return nil, err
	}
	if !allMean(resources, request.Resource) {
		return nil, refuse("invalid_target", "The resource must be %s.", request.Resource)
	}
	if err := x.pollDevice(ctx, request); err != nil {
		return nil, err
	}
	grant, err := x.tx.LockGrant(ctx, request.Grant)
	if errors.Is(err, ErrNotFound) || err == nil && !x.client.standsBy(grant) {
		return nil, refuse("access_denied", "What the person allowed has been revoked.")
	}
	if err != nil {
		return nil, err
	}
	if err := x.tx.SpendDevice(ctx, signature, x.now); err != nil {
		return nil, err
	}
	return x.issueTokens(ctx, grant)
}

// pollDevice says what the device must do as long as there are no tokens (RFC 8628 section 3.5).
func (x *exchange) pollDevice(ctx context.Context, request DeviceRequest) error {
	if !x.now.Before(request.ExpiresAt) {
		return refuse("expired_token", "The device_code has expired. Ask for a new one.")
	}
	tooSoon := request.PolledAt != nil && x.now.Sub(*request.PolledAt) < request.Interval-deviceJitter
	if tooSoon {
		request.Interval = min(request.Interval+deviceSlowDown, maxDeviceInterval)
	}
	if err := x.tx.PollDevice(ctx, request.Signature, x.now, request.Interval); err != nil {
		return err
	}
	switch {
	case tooSoon:
		return refuse("slow_down", "Ask at most every %s.", request.Interval)
	case request.DecidedAt == nil:
		return refuse("authorization_pending", "The person has not decided yet.")
	case request.Grant == "":
		return refuse("access_denied", "The person said no.")
	}
	return nil
}

// issueTokens makes what a grant's first exchange gives: an access token and, if the grant lasts, a refresh token.
func (x *exchange) issueTokens(ctx context.Context, grant Grant) (fosite.AccessResponder, error) {
	x.grant, x.issuedAt = grant, x.now
	x.presented = &StoredToken{Kind: KindDevice, Scopes: grant.Scopes}
	x.accessEnd = x.before(accessLife)
	access, signature := x.oauth.tokens().new(KindAccess)
	err := x.tx.InsertToken(ctx, StoredToken{
		Kind: KindAccess, Signature: signature, Grant: grant.ID, Scopes: grant.Scopes, CreatedAt: x.now, ExpiresAt: x.accessEnd,
	})
	if err != nil {
		return nil, err
	}
	answer := fosite.NewAccessResponse()
	answer.SetAccessToken(string(access))
	answer.SetTokenType("bearer")
	answer.SetScopes(arguments(grant.Scopes))
	if grant.Scopes.Has(ScopeOffline) {
		refresh, signature := x.oauth.tokens().new(KindRefresh)
		err := x.tx.InsertToken(ctx, StoredToken{
			Kind: KindRefresh, Signature: signature, Grant: grant.ID, Scopes: grant.Scopes,
			CreatedAt: x.now, ExpiresAt: x.before(refreshIdle),
		})
		if err != nil {
			return nil, err
		}
		answer.SetExtra("refresh_token", string(refresh))
	}
	return answer, x.finish(ctx, answer, grantDevice)
}
