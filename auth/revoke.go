package auth

import (
	"context"
	"errors"
	"net/http"
)

// Revoke answers at RevokePath (RFC 7009): a refresh token ends its grant and every token of it, an access token
// only itself. What is not the client's own, or nobody's, is answered like what was revoked.
func (o *OAuth) Revoke(w http.ResponseWriter, r *http.Request) {
	if !o.allow(w, r, http.MethodPost) {
		return
	}
	r, done := bounded(r)
	defer done()
	if err := o.revoke(w, r); err != nil {
		o.answerError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (o *OAuth) revoke(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	token := Secret(form.Get("token"))
	if signature, ok := o.tokens().verify(KindPersonal, token); ok {
		return o.revokePersonal(r.Context(), signature, RemoteAddr(r))
	}
	client, err := o.identify(r.Context(), r, form) // disabled or not: less is always allowed
	if err != nil {
		return err
	}
	if token == "" {
		return refuse("invalid_request", "The token is missing.")
	}
	// The kind is in the token, so that token_type_hint is not needed and cannot mislead.
	if kind, signature, ok := o.tokens().verifyAny(token, KindRefresh, KindAccess); ok {
		return o.revokeToken(r.Context(), client, kind, signature, RemoteAddr(r))
	}
	return nil
}

// revokePersonal ends a personal token. It has no client that could authenticate: whoever holds it may end it, as a
// secret scanner should that has found one.
func (o *OAuth) revokePersonal(ctx context.Context, signature, addr string) error {
	client, err := o.Store.Client(ctx, personalClient)
	if err != nil {
		return err
	}
	return o.revokeToken(ctx, client, KindPersonal, signature, addr)
}

func (o *OAuth) revokeToken(ctx context.Context, client Client, kind TokenKind, signature, addr string) error {
	_, grant, err := o.Store.Token(ctx, kind, signature)
	if errors.Is(err, ErrNotFound) || err == nil && grant.RevokedAt != nil {
		return nil
	}
	if err != nil {
		return err
	}
	allowed := grant.ClientID == client.ID
	who := Caller{User: grant.User, UserName: grant.UserName, ClientID: client.ID, Client: client.Name, Addr: addr}
	if err := o.record(ctx, who, "oauth.revoke", string(grant.ID), allowed, map[string]string{"kind": string(kind)}); err != nil {
		return err
	}
	if !allowed {
		return nil
	}
	if kind == KindAccess {
		return o.Store.DeleteToken(ctx, kind, signature)
	}
	return o.Store.RevokeGrant(ctx, grant.ID, "revoked by its client", o.Now())
}
