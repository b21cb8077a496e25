package web

import (
	"errors"
	"net/http"

	"switchboard/auth"
)

type accountPage struct {
	Problem string
	Done    bool
}

// Account lets a person change his password.
func (p *Pages) Account(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	page := accountPage{Done: r.URL.Query().Get("changed") == "yes"}
	return p.show(w, http.StatusOK, "account", visit.view(r, "Your account", page))
}

// ChangePassword does so, and logs the person's other browsers out.
func (p *Pages) ChangePassword(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	current, next := auth.Secret(r.PostFormValue("current")), auth.Secret(r.PostFormValue("next"))
	err = p.Accounts.ChangePassword(r.Context(), visit.Caller, p.Accounts.CookieToken(r), current, next)
	problem := correctable(err)
	if errors.Is(err, auth.ErrWrongPassword) {
		problem = "The current password is wrong."
	}
	if problem != "" {
		return p.show(w, http.StatusBadRequest, "account", visit.view(r, "Your account", accountPage{Problem: problem}))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/account?changed=yes", http.StatusSeeOther)
	return nil
}
