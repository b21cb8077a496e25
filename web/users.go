package web

import (
	"net/http"

	"switchboard/auth"
)

type usersPage struct {
	Users []auth.User
	Me    auth.UserID
	Link  string // of the invitation that was just made

	Company string // the name of its login provider; empty: none
	Ways    map[auth.UserID]auth.WayIn
}

// Users lists the people, for administrators.
func (p *Pages) Users(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.showUsers(w, r, visit, "")
}

// InviteUser makes a one-time link. It is on this answer only.
func (p *Pages) InviteUser(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	link, err := p.Accounts.Invite(r.Context(), visit.Caller, auth.Role(r.PostFormValue("role")))
	if err != nil {
		return err
	}
	return p.showUsers(w, r, visit, link)
}

func (p *Pages) showUsers(w http.ResponseWriter, r *http.Request, visit visit, link string) error {
	if !visit.Admin() {
		return errNoPage
	}
	users, err := p.Accounts.Users(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	page := usersPage{Users: users, Me: visit.User, Link: link}
	if p.OIDC != nil {
		page.Company = p.OIDC.Provider.Name
		if page.Ways, err = p.OIDC.WaysIn(r.Context(), visit.Caller); err != nil {
			return err
		}
	}
	return p.show(w, http.StatusOK, "users", visit.view(r, "People", page))
}

// ResetFactors forgets a person's second factors, who has lost them.
func (p *Pages) ResetFactors(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	user := auth.UserID(r.PathValue("user"))
	if err := p.Accounts.ResetFactors(r.Context(), visit.Caller, p.Accounts.CookieToken(r), user); err != nil {
		return err
	}
	http.Redirect(w, r, "/users", http.StatusSeeOther)
	return nil
}

// SuspendUser shuts a person out, or lets him in again.
func (p *Pages) SuspendUser(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	suspend := r.PostFormValue("suspend") == "yes"
	if err := p.Accounts.Suspend(r.Context(), visit.Caller, auth.UserID(r.PathValue("user")), suspend); err != nil {
		return err
	}
	http.Redirect(w, r, "/users", http.StatusSeeOther)
	return nil
}
