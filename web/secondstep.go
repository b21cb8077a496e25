package web

import (
	"errors"
	"net/http"

	"switchboard/auth"
)

type secondStepPage struct {
	Problem, ReturnTo string
	Factors           auth.Factors
}

// SecondStep asks for a code after the password.
func (p *Pages) SecondStep(w http.ResponseWriter, r *http.Request) error {
	return p.showSecondStep(w, r, http.StatusOK, secondStepPage{ReturnTo: auth.ReturnTo(r.URL.Query().Get("return_to"))})
}

// FinishLogIn checks the code and leads to the page that was wanted.
func (p *Pages) FinishLogIn(w http.ResponseWriter, r *http.Request) error {
	if err := p.stranger(r); err != nil {
		return err
	}
	page := secondStepPage{ReturnTo: auth.ReturnTo(r.PostFormValue("return_to"))}
	code := auth.Secret(r.PostFormValue("code"))
	login, err := p.Accounts.FinishLogIn(r.Context(), p.Accounts.StepToken(r), code, auth.RequestBrowser(r))
	switch {
	case errors.Is(err, auth.ErrNoStep):
		return p.showLogin(w, r, http.StatusUnauthorized, loginPage{Problem: sentence(err), ReturnTo: page.ReturnTo})
	case errors.Is(err, auth.ErrWrongCode), errors.Is(err, auth.ErrSuspended), errors.Is(err, auth.ErrProviderOnly):
		page.Problem = sentence(err)
		return p.showSecondStep(w, r, http.StatusUnauthorized, page)
	case err != nil:
		return err
	}
	http.SetCookie(w, p.Accounts.NoStepCookie())
	return p.loggedIn(w, r, login, page.ReturnTo)
}

func (p *Pages) showSecondStep(w http.ResponseWriter, r *http.Request, status int, page secondStepPage) error {
	var err error
	page.Factors, err = p.Accounts.StepFactors(r.Context(), p.Accounts.StepToken(r))
	if errors.Is(err, auth.ErrNoStep) {
		http.Redirect(w, r, withReturn("/login", page.ReturnTo), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return p.show(w, status, "secondstep", view{Title: "Second step", Path: r.URL.Path, CSRF: p.formToken(w, r), Data: page})
}
