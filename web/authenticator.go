package web

import (
	"net/http"

	"rsc.io/qr"

	"switchboard/auth"
)

type authenticatorPage struct {
	Problem, ReturnTo string
	Secret            string
}

// Authenticator shows the secret for an authenticator app, and asks for a first code.
func (p *Pages) Authenticator(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomer(r)
	if err != nil {
		return err
	}
	page := authenticatorPage{ReturnTo: returnOrAccount(r.URL.Query().Get("return_to"))}
	return p.showAuthenticator(w, r, http.StatusOK, visit, page)
}

func (p *Pages) showAuthenticator(w http.ResponseWriter, r *http.Request, status int, visit visit, page authenticatorPage) error {
	secret, err := p.Accounts.SetUpTOTP(r.Context(), visit.Caller, p.Accounts.CookieToken(r))
	if err != nil {
		return err
	}
	page.Secret = string(secret.Text)
	return p.show(w, status, "authenticator", visit.view(r, "Authenticator app", page))
}

// AuthenticatorImage is the same secret as a QR code. Like every page it is kept nowhere.
func (p *Pages) AuthenticatorImage(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomer(r)
	if err != nil {
		return err
	}
	secret, err := p.Accounts.SetUpTOTP(r.Context(), visit.Caller, p.Accounts.CookieToken(r))
	if err != nil {
		return err
	}
	code, err := qr.Encode(string(secret.URI), qr.M)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(code.PNG()) // the reader has gone; nobody is left to tell
	return nil
}

// ConfirmAuthenticator turns the app on, and shows the recovery codes.
func (p *Pages) ConfirmAuthenticator(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomerPost(r)
	if err != nil {
		return err
	}
	page := authenticatorPage{ReturnTo: returnOrAccount(r.PostFormValue("return_to"))}
	codes, login, err := p.Accounts.ConfirmTOTP(r.Context(), visit.Caller, p.Accounts.CookieToken(r), auth.Secret(r.PostFormValue("code")))
	if page.Problem = correctable(err); page.Problem != "" {
		return p.showAuthenticator(w, r, http.StatusBadRequest, visit, page)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.Cookie(login))
	return p.showRecoveryCodes(w, r, visit, codes, page.ReturnTo)
}

type authenticatorOffPage struct {
	Problem string
}

// AuthenticatorOff asks before the app is turned off.
func (p *Pages) AuthenticatorOff(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "authenticator-off", visit.view(r, "Turn the authenticator app off", authenticatorOffPage{}))
}

// DisableAuthenticator turns it off.
func (p *Pages) DisableAuthenticator(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	password, code := auth.Secret(r.PostFormValue("password")), auth.Secret(r.PostFormValue("code"))
	login, err := p.Accounts.DisableTOTP(r.Context(), visit.Caller, p.Accounts.CookieToken(r), password, code)
	if problem := wrongProof(err); problem != "" {
		page := authenticatorOffPage{problem}
		return p.show(w, http.StatusUnauthorized, "authenticator-off", visit.view(r, "Turn the authenticator app off", page))
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, p.Accounts.Cookie(login))
	http.Redirect(w, r, "/account?done=app", http.StatusSeeOther)
	return nil
}

type recoveryCodesPage struct {
	Codes    []string
	ReturnTo string
}

// RenewRecoveryCodes replaces the person's recovery codes.
func (p *Pages) RenewRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	codes, err := p.Accounts.RenewRecoveryCodes(r.Context(), visit.Caller, p.Accounts.CookieToken(r))
	if err != nil {
		return err
	}
	return p.showRecoveryCodes(w, r, visit, codes, "/account")
}

// showRecoveryCodes shows them this once. The page has no menu: its forms' tokens may be of the login before.
func (p *Pages) showRecoveryCodes(w http.ResponseWriter, r *http.Request, visit visit, codes []auth.Secret, returnTo string) error {
	page := recoveryCodesPage{ReturnTo: returnTo}
	for _, code := range codes {
		page.Codes = append(page.Codes, string(code))
	}
	v := visit.view(r, "Recovery codes", page)
	v.Visit = nil
	return p.show(w, http.StatusOK, "recovery-codes", v)
}

// NeedFactor is where those are led who must have a second factor and have none.
func (p *Pages) NeedFactor(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.newcomer(r)
	if err != nil {
		return err
	}
	wish := auth.ReturnTo(r.URL.Query().Get("return_to"))
	if !visit.lacksFactor {
		http.Redirect(w, r, wish, http.StatusSeeOther)
		return nil
	}
	factors, err := p.Accounts.Factors(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	page := provePage{ReturnTo: wish, Factors: factors, PasskeysOff: p.Accounts.PasskeysOff()}
	return p.show(w, http.StatusOK, "second-factor", visit.view(r, "A second factor is needed", page))
}

// returnOrAccount is where setting something up leads: back to where the reader was going, or to his account.
func returnOrAccount(wish string) string {
	if wish == "" {
		return "/account"
	}
	return auth.ReturnTo(wish)
}
