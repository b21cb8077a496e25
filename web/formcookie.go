package web

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"switchboard/auth"
)

// formCookieName is the cookie that proves, before there is a login, that a form came from one of our pages: the
// form carries the cookie's value too. Over https its prefix keeps other hosts from planting one.
func (p *Pages) formCookieName() string {
	if strings.HasPrefix(p.PublicURL, "https://") {
		return "__Host-switchboard-form"
	}
	return "switchboard-form"
}

// formToken is the browser's token for forms without a login; a browser without one gets it.
func (p *Pages) formToken(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(p.formCookieName()); err == nil && c.Value != "" {
		return c.Value
	}
	token := rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name: p.formCookieName(), Value: token, Path: "/", HttpOnly: true,
		Secure: strings.HasPrefix(p.PublicURL, "https://"), SameSite: http.SameSiteLaxMode,
	})
	return token
}

// stranger reads a form from someone who is not logged in.
func (p *Pages) stranger(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := r.Cookie(p.formCookieName())
	if err != nil || c.Value == "" ||
		subtle.ConstantTimeCompare([]byte(c.Value), []byte(r.PostFormValue(auth.CSRFField))) != 1 {
		return errStale
	}
	return nil
}

// badForm keeps a form that is too long apart from one that cannot be read.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return formError("the form cannot be read: " + err.Error())
}
