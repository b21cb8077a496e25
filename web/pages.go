package web

import (
	"log/slog"
	"net/http"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// Pages serves the web pages. Its fields are set once, before use.
type Pages struct {
	Fleet     *fleet.Fleet
	Accounts  *auth.Accounts
	OAuth     *auth.OAuth
	OIDC      *auth.OIDC // nil: everybody logs in by what is kept here
	PublicURL string     // without a trailing slash
	Log       *slog.Logger

	streams auth.Seats // event streams that are open
	players auth.Seats // segments of recordings that are made ready
}

// A Page answers one request. What it returns becomes a page in one place, refuse.
type Page func(w http.ResponseWriter, r *http.Request) error

// maxForm is how many bytes a posted form may have: the longest message, escaped at worst to three times its
// length, and its other fields.
const maxForm = 3*protocol.MaxMessage + 16<<10

// Handler makes a page a handler: its headers, the check for requests from other sites, and its errors as pages.
func (p *Pages) Handler(page Page) http.Handler {
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := p.fromHere(guard, r)
		if err == nil {
			err = page(w, r)
		}
		if err != nil {
			p.refuse(w, r, err)
		}
	})
}

// fromHere refuses what another site's page makes a browser post. Behind a proxy the request's Host is not the
// public one, so the public origin is let through by name.
func (p *Pages) fromHere(guard *http.CrossOriginProtection, r *http.Request) error {
	if r.Header.Get("Origin") == p.PublicURL && r.Header.Get("Sec-Fetch-Site") == "" {
		return nil
	}
	if err := guard.Check(r); err != nil {
		return errForeign
	}
	return nil
}
