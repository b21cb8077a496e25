package web

import (
	"errors"
	"net/http"

	"switchboard/auth"
)

// askPasskey answers a page's script with what it is to ask the browser, and binds the answer to this browser.
func (p *Pages) askPasskey(w http.ResponseWriter, asked auth.PasskeyRequest) error {
	http.SetCookie(w, p.Accounts.CeremonyCookie(asked))
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(asked.Options) // the reader has gone; nobody is left to tell
	return nil
}

// PasskeyOptions is what the login page's script asks the browser.
func (p *Pages) PasskeyOptions(w http.ResponseWriter, r *http.Request) error {
	if err := p.stranger(r); err != nil {
		return err
	}
	asked, err := p.Accounts.BeginPasskeyLogin(r.Context(), auth.RequestBrowser(r))
	if err != nil {
		return err
	}
	return p.askPasskey(w, asked)
}

// LogInByPasskey lets in whoever the passkey is of. It is also what finishes a login whose password was right.
func (p *Pages) LogInByPasskey(w http.ResponseWriter, r *http.Request) error {
	if err := p.stranger(r); err != nil {
		return err
	}
	page := loginPage{ReturnTo: auth.ReturnTo(r.PostFormValue("return_to"))}
	answer := r.PostFormValue("credential")
	login, err := p.Accounts.LogInByPasskey(r.Context(), p.Accounts.CeremonyToken(r), answer, auth.RequestBrowser(r))
	if page.Problem = passkeyProblem(err); page.Problem != "" {
		return p.showLogin(w, r, http.StatusUnauthorized, page)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.NoStepCookie())
	return p.loggedIn(w, r, login, page.ReturnTo)
}

// passkeyProblem is what to tell a person whose passkey does not let him in; empty if that is not what err says.
func passkeyProblem(err error) string {
	for _, kind := range []error{auth.ErrWrongPasskey, auth.ErrNoCeremony, auth.ErrSuspended, auth.ErrProviderOnly} {
		if errors.Is(err, kind) {
			return sentence(kind)
		}
	}
	return ""
}

// NewPasskeyOptions is what the account page's script asks the browser to make.
func (p *Pages) NewPasskeyOptions(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	asked, err := p.Accounts.BeginPasskey(r.Context(), visit.Caller, p.Accounts.CookieToken(r))
	if err != nil {
		return err
	}
	return p.askPasskey(w, asked)
}

// AddPasskey keeps what the browser has made.
func (p *Pages) AddPasskey(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	name, answer := r.PostFormValue("name"), r.PostFormValue("credential")
	login, err := p.Accounts.AddPasskey(r.Context(), visit.Caller, p.Accounts.CookieToken(r), p.Accounts.CeremonyToken(r),
		name, answer, auth.RequestBrowser(r))
	if err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.Cookie(login))
	to := "/account?done=passkey"
	if wish := r.PostFormValue("return_to"); wish != "" {
		to = auth.ReturnTo(wish)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// RemovePasskey forgets one.
func (p *Pages) RemovePasskey(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	token := p.Accounts.CookieToken(r)
	if err := p.Accounts.RemovePasskey(r.Context(), visit.Caller, token, r.PathValue("passkey")); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=passkey-gone", http.StatusSeeOther)
	return nil
}

// ProvePasskeyOptions is what the script asks the browser of a person who is to prove who he is.
func (p *Pages) ProvePasskeyOptions(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	asked, err := p.Accounts.BeginPasskeyProof(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	return p.askPasskey(w, asked)
}

// ProveByPasskey checks the answer and leads on.
func (p *Pages) ProveByPasskey(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	page := provePage{ReturnTo: auth.ReturnTo(r.PostFormValue("return_to"))}
	login, err := p.Accounts.ProveByPasskey(r.Context(), visit.Caller, p.Accounts.CookieToken(r), p.Accounts.CeremonyToken(r),
		r.PostFormValue("credential"))
	if page.Problem = passkeyProblem(err); page.Problem != "" {
		return p.showProve(w, r, http.StatusUnauthorized, visit, page)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.Cookie(login))
	http.Redirect(w, r, page.ReturnTo, http.StatusSeeOther)
	return nil
}
