package web

import (
	"net/http"
	"strings"

	"switchboard/auth"
)

type registeredPage struct {
	Clients []auth.KnownClient
	Problem string
	Asked   addedClient // what was asked for, when it could not be added

	Added  *auth.Client // that was just added
	Secret string       // of it, if it has one
}

type addedClient struct {
	Name, Redirects string // addresses, one on each line
	Secret          bool
}

// RegisteredClients lists every client that is known here, for administrators.
func (p *Pages) RegisteredClients(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.showRegistered(w, r, visit, http.StatusOK, registeredPage{})
}

// AddClient adds one that cannot make itself known. Its secret is on this answer only.
func (p *Pages) AddClient(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	asked := addedClient{
		Name: r.PostFormValue("name"), Redirects: r.PostFormValue("redirects"), Secret: r.PostFormValue("kind") == "secret",
	}
	client, secret, err := p.OAuth.AddClient(r.Context(), visit.Caller, auth.NewClient{
		Name: asked.Name, RedirectURIs: strings.Fields(asked.Redirects), WithSecret: asked.Secret,
	})
	if problem := correctable(err); problem != "" {
		return p.showRegistered(w, r, visit, http.StatusBadRequest, registeredPage{Problem: problem, Asked: asked})
	}
	if err != nil {
		return err
	}
	return p.showRegistered(w, r, visit, http.StatusOK, registeredPage{Added: &client, Secret: string(secret)})
}

// DisableClient keeps a client out, or lets it in again.
func (p *Pages) DisableClient(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	disable := r.PostFormValue("disable") == "yes"
	if err := p.OAuth.DisableClient(r.Context(), visit.Caller, r.PostFormValue("client"), disable); err != nil {
		return err
	}
	http.Redirect(w, r, "/clients/registered", http.StatusSeeOther)
	return nil
}

// RemoveClient forgets a client that nobody has used.
func (p *Pages) RemoveClient(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	err = p.OAuth.RemoveClient(r.Context(), visit.Caller, r.PostFormValue("client"))
	if problem := correctable(err); problem != "" {
		return p.showRegistered(w, r, visit, http.StatusConflict, registeredPage{Problem: problem})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/clients/registered", http.StatusSeeOther)
	return nil
}

func (p *Pages) showRegistered(w http.ResponseWriter, r *http.Request, visit visit, status int, page registeredPage) error {
	if !visit.Admin() {
		return errNoPage
	}
	clients, err := p.OAuth.Clients(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	page.Clients = clients
	return p.show(w, status, "registered", visit.view(r, "Registered clients", page))
}
