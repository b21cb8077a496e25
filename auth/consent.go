package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
)

// The fields of the consent page's form: the client's request, which is checked anew when it comes back, and what the
// person was shown that it would be allowed. The client's metadata may have changed meanwhile, and with them what the
// same request means.
const (
	requestField = "request"
	shownField   = "shown"
)

// showConsent asks the person.
func (o *OAuth) showConsent(w http.ResponseWriter, r *http.Request, a authorization, c Caller, csrf string) error {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "+
		"font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+formAction(a.redirectURI))
	view := ConsentView{
		Action:       AuthorizePath,
		Hidden:       map[string]string{requestField: r.URL.RawQuery, shownField: a.shown()},
		CSRF:         csrf,
		User:         c.UserName,
		ClientName:   a.client.Name,
		ClientID:     a.client.ID,
		RedirectHost: redirectHost(a.redirectURI),
		Kind:         a.client.Kind,
		Loopback:     isLoopback(a.redirectURI),
		Unverified:   a.client.Kind == ClientRegistered,
	}
	if site, err := url.Parse(a.client.Metadata.ClientURI); err == nil {
		view.ClientHost = site.Host
	}
	if a.client.Kind == ClientDocument {
		view.ClientHost = documentHost(a.client.ID)
		view.Elsewhere = !view.Loopback && view.RedirectHost != view.ClientHost
	}
	for _, scope := range a.scopes {
		view.Scopes = append(view.Scopes, ScopeView{scope, scope.Words()})
	}
	return o.Pages.Consent(w, r, view)
}

const maxConsentForm = 64 << 10 // bytes

// decide carries out what the person answered.
func (o *OAuth) decide(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxConsentForm)
	if err := r.ParseForm(); err != nil {
		return o.Pages.Refuse(w, r, http.StatusBadRequest, "The form cannot be read.")
	}
	query := r.PostForm.Get(requestField)
	caller, _, err := o.Accounts.RequestCaller(r)
	if errors.Is(err, ErrNoLogin) {
		w.Header().Set("Location", loginPath(ReturnTo(AuthorizePath+"?"+query)))
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return o.refuseAuthorization(w, r, authorization{}, err)
	}
	if !o.Accounts.CheckCSRF(r) {
		return o.Pages.Refuse(w, r, http.StatusForbidden, "This form is not from here, or its page is too old. Go back to the app and try again.")
	}
	a, err := o.authorization(r.Context(), query, caller)
	if err != nil {
		return o.refuseAuthorization(w, r, a, err)
	}
	switch r.PostForm.Get("decision") {
	case "allow":
		if r.PostForm.Get(shownField) != a.shown() {
			return o.Pages.Refuse(w, r, http.StatusConflict, "What the app asks for has changed while you looked at it. Go back to the app and try again.")
		}
		return o.consent(w, r, a, caller)
	case "deny":
		return o.deny(w, r, a, caller)
	}
	return o.Pages.Refuse(w, r, http.StatusBadRequest, "Choose to allow or to deny.")
}

func (o *OAuth) deny(w http.ResponseWriter, r *http.Request, a authorization, c Caller) error {
	if err := o.record(r.Context(), c, "oauth.consent", a.client.ID, false, a.detail()); err != nil {
		return o.refuseAuthorization(w, r, a, err)
	}
	return o.refuseAuthorization(w, r, a, refuse("access_denied", "The person said no."))
}

func (o *OAuth) consent(w http.ResponseWriter, r *http.Request, a authorization, c Caller) error {
	code, err := o.grant(r.Context(), a, c)
	if err != nil {
		return o.refuseAuthorization(w, r, a, err)
	}
	o.redirect(w, a, url.Values{"code": {string(code)}})
	return nil
}

// grant keeps the consent and makes the code that tells the client of it.
func (o *OAuth) grant(ctx context.Context, a authorization, c Caller) (Secret, error) {
	now := o.Now()
	grant := Grant{
		ID: GrantID(rand.Text()), User: c.User, ClientID: a.client.ID, Origin: OriginCode, Scopes: a.scopes,
		Resource: o.Resource(), RedirectURI: a.redirectURI, CreatedAt: now,
	}
	code, stored, err := o.issueCode(ctx, a, grant)
	if err != nil {
		return "", err
	}
	if err := o.record(ctx, c, "oauth.consent", a.client.ID, true, a.detail()); err != nil {
		return "", err
	}
	if err := o.record(ctx, c, "oauth.code", string(grant.ID), true, map[string]string{"client": a.client.ID}); err != nil {
		return "", err
	}
	if err := o.Store.InsertGrant(ctx, grant, stored); err != nil {
		return "", err
	}
	return code, nil
}

// shown is what the person agrees to, on the page and when his answer is there.
func (a authorization) shown() string {
	return a.client.Name + " " + a.redirectURI + " " + a.scopes.String()
}

func (a authorization) detail() map[string]string {
	return map[string]string{"client": a.client.Name, "scopes": a.scopes.String(), "redirect": a.redirectURI}
}
