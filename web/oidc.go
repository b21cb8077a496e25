package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"switchboard/auth"
)

// companyLogin is what a page shows of the company's login provider.
type companyLogin struct {
	Name string
	Away bool // nobody can be sent there at the moment
	Only bool // nobody logs in by anything else
}

// companyLogin is nil if there is no provider.
func (p *Pages) companyLogin(ctx context.Context) *companyLogin {
	if p.OIDC == nil {
		return nil
	}
	return &companyLogin{
		Name: p.OIDC.Provider.Name, Away: p.OIDC.Ready(ctx) != nil, Only: p.Accounts.ProviderOnly,
	}
}

// wayIn says how the visitor can log in: without a provider, by a password.
func (p *Pages) wayIn(r *http.Request, v visit) (auth.WayIn, error) {
	if p.OIDC == nil {
		return auth.WayIn{User: v.User, Password: true}, nil
	}
	return p.OIDC.WayIn(r.Context(), v.Caller)
}

// BeginOIDC sends a browser to the provider; one that is logged in already, to prove again who its person is.
func (p *Pages) BeginOIDC(w http.ResponseWriter, r *http.Request) error {
	if p.OIDC == nil {
		return errNoPage
	}
	begin := p.OIDC.Begin
	if _, err := p.newcomerPost(r); err == nil {
		begin = p.OIDC.BeginAgain
	} else if err := p.stranger(r); err != nil {
		return err
	}
	wish := r.PostFormValue("return_to")
	departure, err := begin(r.Context(), wish, auth.RemoteAddr(r))
	if errors.Is(err, auth.ErrProviderAway) {
		return p.showLogin(w, r, http.StatusServiceUnavailable, loginPage{ReturnTo: auth.ReturnTo(wish)})
	}
	if err != nil {
		return err
	}
	return p.leave(w, departure)
}

// leave sends the browser away by a page of its own, for the reason that enter has.
func (p *Pages) leave(w http.ResponseWriter, d auth.Departure) error {
	http.SetCookie(w, d.Cookie)
	w.Header().Set("Refresh", "0; url="+d.Address)
	return p.show(w, http.StatusOK, "leaving", view{Title: "Going to " + p.OIDC.Provider.Name, Data: d.Address})
}

// OIDCCallback is where the provider sends browsers back to.
func (p *Pages) OIDCCallback(w http.ResponseWriter, r *http.Request) error {
	if p.OIDC == nil {
		return errNoPage
	}
	arrival, err := p.OIDC.Finish(r.Context(), r)
	http.SetCookie(w, p.OIDC.NoCookie(r))
	if problem, status := p.providerProblem(err); problem != "" {
		return p.showProviderProblem(w, r, status, problem)
	}
	if err != nil {
		return err
	}
	if arrival.Connected {
		http.Redirect(w, r, "/account?done=connected", http.StatusSeeOther)
		return nil
	}
	return p.loggedIn(w, r, arrival.Login, arrival.ReturnTo)
}

// providerProblem says what a person can be told of an error; empty if nothing.
func (p *Pages) providerProblem(err error) (words string, status int) {
	var refused *auth.NotAdmittedError
	switch {
	case err == nil:
		return "", 0
	case errors.As(err, &refused):
		return sentence(refused), http.StatusForbidden
	case errors.Is(err, auth.ErrSuspended):
		return sentence(auth.ErrSuspended), http.StatusForbidden
	case errors.Is(err, auth.ErrStaleLogin):
		return sentence(auth.ErrStaleLogin), http.StatusBadRequest
	case errors.Is(err, auth.ErrNotVerified):
		return sentence(auth.ErrNotVerified), http.StatusUnauthorized
	case errors.Is(err, auth.ErrProviderAway):
		return sentence(auth.ErrProviderAway), http.StatusServiceUnavailable
	}
	return correctable(err), http.StatusBadRequest
}

// showProviderProblem shows it where the person can try again.
func (p *Pages) showProviderProblem(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(auth.RetryAfter.Seconds())))
	}
	if visit, err := p.visit(r); err == nil {
		return p.showAccount(w, r, status, visit, accountPage{Problem: problem})
	}
	return p.showLogin(w, r, status, loginPage{Problem: problem, ReturnTo: home})
}

// ConnectOIDC sends a person's browser to the provider, for an identity to log in with from then on.
func (p *Pages) ConnectOIDC(w http.ResponseWriter, r *http.Request) error {
	if p.OIDC == nil {
		return errNoPage
	}
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	departure, err := p.OIDC.BeginConnect(r.Context(), visit.Caller, p.Accounts.CookieToken(r))
	if problem, status := p.providerProblem(err); problem != "" {
		return p.showProviderProblem(w, r, status, problem)
	}
	if err != nil {
		return err
	}
	return p.leave(w, departure)
}

// DisconnectOIDC takes the person's identity from his account.
func (p *Pages) DisconnectOIDC(w http.ResponseWriter, r *http.Request) error {
	if p.OIDC == nil {
		return errNoPage
	}
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	err = p.OIDC.Disconnect(r.Context(), visit.Caller, p.Accounts.CookieToken(r))
	if problem := correctable(err); problem != "" {
		return p.showAccount(w, r, http.StatusBadRequest, visit, accountPage{Problem: problem})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=disconnected", http.StatusSeeOther)
	return nil
}
