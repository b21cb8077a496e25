package web

import (
	"errors"
	"net/http"

	"switchboard/auth"
)

type accountPage struct {
	Problem     string
	Done        string // what was just done
	Logins      []auth.BrowserLogin
	Factors     auth.Factors
	WayIn       auth.WayIn
	Company     *companyLogin
	Passkeys    []auth.Passkey
	PasskeysOff string // why there can be none
}

// accountDone says what a form on the page has done, by the word that it leads back with.
var accountDone = map[string]string{
	"app":          "The authenticator app is turned off, and its recovery codes no longer work.",
	"password":     "Your password is changed, and your other browsers are logged out.",
	"logins":       "Your other browsers are logged out.",
	"connected":    "Your company's login is connected: it lets you in from now on.",
	"disconnected": "Your company's login is disconnected.",
	"passkey":      "You can log in with the new passkey from now on.",
	"passkey-gone": "The passkey is removed. You may want to delete it on its device too.",
	"login":        "That browser is logged out.",
}

// Account is what a person can see and change of his own account.
func (p *Pages) Account(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.showAccount(w, r, http.StatusOK, visit, accountPage{Done: accountDone[r.URL.Query().Get("done")]})
}

// showAccount fills in what the page lists.
func (p *Pages) showAccount(w http.ResponseWriter, r *http.Request, status int, visit visit, page accountPage) error {
	var err error
	if page.Logins, err = p.Accounts.Logins(r.Context(), visit.Caller, p.Accounts.CookieToken(r)); err != nil {
		return err
	}
	if page.Factors, err = p.Accounts.Factors(r.Context(), visit.Caller); err != nil {
		return err
	}
	page.Company = p.companyLogin(r.Context())
	if page.WayIn, err = p.wayIn(r, visit); err != nil {
		return err
	}
	if page.Passkeys, err = p.Accounts.Passkeys(r.Context(), visit.Caller); err != nil {
		return err
	}
	page.PasskeysOff = p.Accounts.PasskeysOff()
	return p.show(w, status, "account", visit.view(r, "Your account", page))
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
		return p.showAccount(w, r, http.StatusBadRequest, visit, accountPage{Problem: problem})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=password", http.StatusSeeOther)
	return nil
}
