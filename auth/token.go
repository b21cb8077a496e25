package auth

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/ory/fosite"
)

// grantTypes are those of the token endpoint.
func grantTypes() []string { return []string{grantCode, grantRefresh, grantDevice} }

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
)

// Token answers at TokenPath: a code, a device code or a refresh token against tokens.
func (o *OAuth) Token(w http.ResponseWriter, r *http.Request) {
	if !o.allow(w, r, http.MethodPost) {
		return
	}
	r, done := bounded(r)
	defer done()
	answer, err := o.token(w, r)
	if err != nil {
		o.answerError(w, r, err)
		return
	}
	o.answer(w, r, http.StatusOK, answer.ToMap())
}

func (o *OAuth) token(w http.ResponseWriter, r *http.Request) (fosite.AccessResponder, error) {
	form, err := readForm(w, r)
	if err != nil {
		return nil, err
	}
	switch grant := form.Get("grant_type"); {
	case grant == "":
		return nil, refuse("invalid_request", "The grant_type is missing.")
	case !slices.Contains(grantTypes(), grant):
		return nil, refuse("unsupported_grant_type", "The grant_type must be one of %v.", grantTypes())
	}
	client, err := o.authenticate(r.Context(), r, form)
	if err != nil {
		return nil, err
	}
	if err := o.checkTokenRequest(client, form); err != nil {
		return nil, err
	}
	if form.Get("grant_type") == grantDevice {
		return o.redeemDevice(r, client, form)
	}
	return o.exchange(r, client, form)
}

// checkTokenRequest checks what can be checked without the code or refresh token itself.
func (o *OAuth) checkTokenRequest(client Client, form url.Values) error {
	grant := form.Get("grant_type")
	if !slices.Contains(client.Metadata.GrantTypes, grant) {
		return refuse("unauthorized_client", "The client did not register for the grant_type %s.", grant)
	}
	if grant != grantDevice && !o.isResource(form["resource"]) {
		return refuse("invalid_target", "The resource must be %s.", o.Resource())
	}
	needs := map[string]string{grantCode: "code", grantRefresh: "refresh_token", grantDevice: "device_code"}[grant]
	if form.Get(needs) == "" {
		return refuse("invalid_request", "The parameter %s is missing.", needs)
	}
	return nil
}

// exchange has fosite carry out the request in one transaction. A refusal commits too: a code stays spent, and a
// family that was found out stays dead.
func (o *OAuth) exchange(r *http.Request, client Client, form url.Values) (fosite.AccessResponder, error) {
	var answer fosite.AccessResponder
	var refused error
	ctx := r.Context()
	err := o.Store.Exchange(ctx, func(tx ExchangeTx) error {
		x := &exchange{oauth: o, tx: tx, client: client, addr: RemoteAddr(r), now: o.Now()}
		if form.Get("grant_type") == grantRefresh {
			x.parent = Secret(form.Get("refresh_token"))
		}
		answer, refused = x.run(ctx, r, form)
		if x.broken == nil && refused == nil {
			return x.finish(ctx, answer, form.Get("grant_type"))
		}
		return x.broken
	})
	if err != nil {
		return nil, err
	}
	return answer, refused
}

func (x *exchange) run(ctx context.Context, r *http.Request, form url.Values) (fosite.AccessResponder, error) {
	provider := x.oauth.provider(x)
	request, err := provider.NewAccessRequest(ctx, r, &fosite.DefaultSession{})
	if err != nil {
		return nil, err
	}
	if form.Get("grant_type") == grantRefresh {
		if err := narrow(request, form.Get("scope")); err != nil {
			return nil, err
		}
	}
	return provider.NewAccessResponse(ctx, request)
}

// finish records what was issued, before it is committed and leaves.
func (x *exchange) finish(ctx context.Context, answer fosite.AccessResponder, grantType string) error {
	answer.SetExpiresIn(x.accessEnd.Sub(x.now))
	action := "oauth.token"
	if grantType == grantRefresh {
		action = "oauth.refresh"
	}
	detail := map[string]string{"scopes": x.presented.Scopes.String()}
	if x.presented.SpentAt != nil {
		detail["repeated"] = "true"
	}
	who := Caller{
		User: x.grant.User, UserName: x.grant.UserName, ClientID: x.client.ID, Client: x.client.Name, Addr: x.addr,
	}
	if err := x.oauth.record(ctx, who, action, string(x.grant.ID), true, detail); err != nil {
		return err
	}
	return x.tx.TouchGrant(ctx, x.grant.ID, x.addr, x.now)
}
