package web

import (
	"net/http"

	"switchboard/auth"
)

// OAuthPages are the pages that the authorization server shows.
func (p *Pages) OAuthPages() auth.Pages {
	return auth.Pages{Consent: p.Consent, Refuse: p.RefuseClient}
}

// Consent asks a person whether a client may act for him. It stands without the menu, since it is not ours that
// he came for. The authorization server has set its headers: the form must be let go on to the client.
func (p *Pages) Consent(w http.ResponseWriter, r *http.Request, v auth.ConsentView) error {
	return p.show(w, http.StatusOK, "consent", view{Title: "Connect a client", Path: r.URL.Path, CSRF: v.CSRF, Data: v})
}

// RefuseClient says what is wrong with a client's request where the client must not be told: who it is, or where
// to answer, is not known.
func (p *Pages) RefuseClient(w http.ResponseWriter, r *http.Request, status int, message string) error {
	setHeaders(w.Header())
	return p.show(w, status, "client-refused", view{Title: "This client cannot be connected", Path: r.URL.Path, Data: line(message)})
}
