package web

import (
	"net/http"

	"switchboard/auth"
)

type invitePage struct {
	Problem, Name, DisplayName string
	Role                       auth.Role
}

// Invite is the form behind a one-time link: the first administrator's, or a later person's.
func (p *Pages) Invite(w http.ResponseWriter, r *http.Request) error {
	role, err := p.Accounts.OpenInvite(r.Context(), auth.Secret(r.PathValue("token")))
	if err != nil {
		return err
	}
	return p.showInvite(w, r, http.StatusOK, invitePage{Role: role})
}

// AcceptInvite makes the account and logs it in.
func (p *Pages) AcceptInvite(w http.ResponseWriter, r *http.Request) error {
	if err := p.stranger(r); err != nil {
		return err
	}
	token := auth.Secret(r.PathValue("token"))
	asked := auth.NewAccount{
		Name:        r.PostFormValue("name"),
		DisplayName: r.PostFormValue("display_name"),
		Password:    auth.Secret(r.PostFormValue("password")),
	}
	login, err := p.Accounts.Accept(r.Context(), token, asked, auth.RequestBrowser(r))
	if problem := correctable(err); problem != "" {
		role, err := p.Accounts.OpenInvite(r.Context(), token)
		if err != nil {
			return err
		}
		page := invitePage{Problem: problem, Name: asked.Name, DisplayName: asked.DisplayName, Role: role}
		return p.showInvite(w, r, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	return p.loggedIn(w, r, login, home)
}

func (p *Pages) showInvite(w http.ResponseWriter, r *http.Request, status int, page invitePage) error {
	return p.show(w, status, "invite", view{Title: "Make your account", Path: r.URL.Path, CSRF: p.formToken(w, r), Data: page})
}
