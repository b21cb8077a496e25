package web

import (
	"errors"
	"net/http"

	"switchboard/auth"
)

type provePage struct {
	Problem, ReturnTo string
	Factors           auth.Factors
	WayIn             auth.WayIn
	Company           *companyLogin
	PasskeysOff       string // why there can be none
}

// ProveAgain asks a person who is logged in to prove who he is again, before he changes how he logs in.
func (p *Pages) ProveAgain(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomer(r)
	if err != nil {
		return err
	}
	return p.showProve(w, r, http.StatusOK, visit, provePage{ReturnTo: auth.ReturnTo(r.URL.Query().Get("return_to"))})
}

// Prove checks the answer and leads on.
func (p *Pages) Prove(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	page := provePage{ReturnTo: auth.ReturnTo(r.PostFormValue("return_to"))}
	password, code := auth.Secret(r.PostFormValue("password")), auth.Secret(r.PostFormValue("code"))
	login, err := p.Accounts.Prove(r.Context(), visit.Caller, p.Accounts.CookieToken(r), password, code)
	if page.Problem = wrongProof(err); page.Problem != "" {
		return p.showProve(w, r, http.StatusUnauthorized, visit, page)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.Cookie(login))
	http.Redirect(w, r, page.ReturnTo, http.StatusSeeOther)
	return nil
}

// wrongProof is what to tell a person whose password or code is wrong; empty if that is not what err says.
func wrongProof(err error) string {
	switch {
	case errors.Is(err, auth.ErrWrongPassword):
		return "The password is wrong."
	case errors.Is(err, auth.ErrWrongCode):
		return sentence(auth.ErrWrongCode)
	case errors.Is(err, auth.ErrInvalid):
		return sentence(err)
	}
	return ""
}

func (p *Pages) showProve(w http.ResponseWriter, r *http.Request, status int, visit visit, page provePage) error {
	var err error
	if page.Factors, err = p.Accounts.Factors(r.Context(), visit.Caller); err != nil {
		return err
	}
	if page.WayIn, err = p.wayIn(r, visit); err != nil {
		return err
	}
	page.Company = p.companyLogin(r.Context())
	return p.show(w, status, "prove", visit.view(r, "Is it you?", page))
}
