package web

import (
	"net/http"

	"switchboard/auth"
)

// EndLogin logs one of a person's other browsers out.
func (p *Pages) EndLogin(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.Accounts.EndLogin(r.Context(), visit.Caller, r.PathValue("login")); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=login", http.StatusSeeOther)
	return nil
}

// EndOtherLogins logs all of a person's browsers out but the one that asks.
func (p *Pages) EndOtherLogins(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.Accounts.EndOtherLogins(r.Context(), visit.Caller, p.Accounts.CookieToken(r)); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=logins", http.StatusSeeOther)
	return nil
}

// EndLoginsOf has an administrator log all of a person's browsers out.
func (p *Pages) EndLoginsOf(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.Accounts.EndLoginsOf(r.Context(), visit.Caller, auth.UserID(r.PathValue("user"))); err != nil {
		return err
	}
	http.Redirect(w, r, "/users", http.StatusSeeOther)
	return nil
}
