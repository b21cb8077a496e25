package web

import (
	"errors"
	"net/http"

	"switchboard/auth"
)

type loginPage struct {
	Problem, Name, ReturnTo string
	Company                 *companyLogin
	Passkeys                bool // there can be some here
}

// Login asks who is there.
func (p *Pages) Login(w http.ResponseWriter, r *http.Request) error {
	wish := auth.ReturnTo(r.URL.Query().Get("return_to"))
	_, err := p.visit(r)
	switch {
	case err == nil:
		http.Redirect(w, r, wish, http.StatusSeeOther)
		return nil
	case errors.Is(err, auth.ErrNoSecondFactor):
		http.Redirect(w, r, withReturn("/second-factor", wish), http.StatusSeeOther)
		return nil
	}
	return p.showLogin(w, r, http.StatusOK, loginPage{ReturnTo: wish})
}

// LogIn checks the answer and leads to the page that was wanted.
func (p *Pages) LogIn(w http.ResponseWriter, r *http.Request) error {
	if err := p.stranger(r); err != nil {
		return err
	}
	page := loginPage{Name: r.PostFormValue("name"), ReturnTo: auth.ReturnTo(r.PostFormValue("return_to"))}
	login, err := p.Accounts.LogIn(r.Context(), page.Name, auth.Secret(r.PostFormValue("password")), auth.RequestBrowser(r))
	if errors.Is(err, auth.ErrWrongPassword) || errors.Is(err, auth.ErrSuspended) || errors.Is(err, auth.ErrProviderOnly) {
		page.Problem = sentence(err)
		return p.showLogin(w, r, http.StatusUnauthorized, page)
	}
	var step *auth.SecondStepError
	if errors.As(err, &step) {
		http.SetCookie(w, p.Accounts.StepCookie(step))
		http.Redirect(w, r, withReturn("/login/code", page.ReturnTo), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return p.loggedIn(w, r, login, page.ReturnTo)
}

// loggedIn gives the browser its new login and leads on. The one that it had ends on the server too: whoever else has
// its token is out.
func (p *Pages) loggedIn(w http.ResponseWriter, r *http.Request, login auth.Login, address string) error {
	if before := p.Accounts.CookieToken(r); before != "" {
		if err := p.Accounts.LogOut(r.Context(), before, auth.RemoteAddr(r)); err != nil {
			return err
		}
	}
	http.SetCookie(w, p.Accounts.Cookie(login))
	return p.enter(w, address)
}

// enter leads a person who has just logged in onwards. It does so from a page of its own rather than by answering
// the form with a redirect: on the way to a client a redirect may leave this origin, and browsers hold every
// redirect that follows a form to the form's page's policy.
func (p *Pages) enter(w http.ResponseWriter, address string) error {
	w.Header().Set("Refresh", "0; url="+address)
	return p.show(w, http.StatusOK, "entered", view{Title: "Logged in", Data: address})
}

func (p *Pages) showLogin(w http.ResponseWriter, r *http.Request, status int, page loginPage) error {
	page.Company = p.companyLogin(r.Context())
	page.Passkeys = p.Accounts.PasskeysOff() == ""
	return p.show(w, status, "login", view{Title: "Log in", Path: r.URL.Path, CSRF: p.formToken(w, r), Data: page})
}

// LogOut ends the login, here and on the server.
func (p *Pages) LogOut(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	if err := p.Accounts.LogOut(r.Context(), p.Accounts.CookieToken(r), visit.Addr); err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.NoCookie())
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
