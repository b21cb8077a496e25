package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Cookie carries a login's token to the browser. Over https its name has the __Host- prefix, so that no other
// host and no plain connection can plant one; that prefix needs Secure, which plain http on loopback cannot have.
func (a *Accounts) Cookie(l Login) *http.Cookie {
	c := a.cookie()
	c.Value = string(l.Token)
	c.Expires = l.ExpiresAt
	return c
}

// NoCookie makes the browser forget its login.
func (a *Accounts) NoCookie() *http.Cookie {
	c := a.cookie()
	c.MaxAge = -1
	return c
}

// StepCookie carries a half login to the browser. It is another cookie than a login's, and its token is looked up
// elsewhere: it opens nothing but the second step.
func (a *Accounts) StepCookie(e *SecondStepError) *http.Cookie {
	return a.shortCookie("-step", e.Token, e.ExpiresAt)
}

// StepToken is the half login in a browser's request; empty if it has none.
func (a *Accounts) StepToken(r *http.Request) Secret { return a.shortToken(r, "-step") }

// NoStepCookie makes the browser forget its half login.
func (a *Accounts) NoStepCookie() *http.Cookie { return a.shortCookie("-step", "", time.Time{}) }

// shortCookie is one for a few minutes; without a token it is taken away.
func (a *Accounts) shortCookie(suffix string, token Secret, until time.Time) *http.Cookie {
	c := a.cookie()
	c.Name += suffix
	c.Value, c.Expires = string(token), until
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *Accounts) shortToken(r *http.Request, suffix string) Secret {
	c, err := r.Cookie(a.cookieName() + suffix)
	if err != nil {
		return ""
	}
	return Secret(c.Value)
}

func (a *Accounts) cookie() *http.Cookie {
	return &http.Cookie{
		Name: a.cookieName(), Path: "/", HttpOnly: true, Secure: a.secure(), SameSite: http.SameSiteLaxMode,
	}
}

func (a *Accounts) secure() bool { return strings.HasPrefix(a.PublicURL, "https://") }

func (a *Accounts) cookieName() string {
	if a.secure() {
		return "__Host-switchboard"
	}
	return "switchboard"
}

// CookieToken is the token in a browser's request; empty if it has none.
func (a *Accounts) CookieToken(r *http.Request) Secret {
	c, err := r.Cookie(a.cookieName())
	if err != nil {
		return ""
	}
	return Secret(c.Value)
}

// RequestCaller is Caller for the login in r's cookie.
func (a *Accounts) RequestCaller(r *http.Request) (Caller, string, error) {
	return a.Caller(r.Context(), a.CookieToken(r), RemoteAddr(r))
}

// csrfToken is bound to the session: only its own pages know it.
func csrfToken(session Secret) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CSRFField is the form field that carries the CSRF token.
const CSRFField = "csrf"

// CheckCSRF reports whether a form came from a page of the session that the request's cookie names. It parses
// the form.
func (a *Accounts) CheckCSRF(r *http.Request) bool {
	session := a.CookieToken(r)
	got := r.PostFormValue(CSRFField)
	return session != "" && subtle.ConstantTimeCompare([]byte(got), []byte(csrfToken(session))) == 1
}

// RemoteAddr is the peer's IP address, without port and zone. Behind a proxy, whoever trusts the proxy sets
// r.RemoteAddr before.
func RemoteAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	return addr.Unmap().WithZone("").String()
}
