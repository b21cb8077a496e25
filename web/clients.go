package web

import (
	"net/http"

	"switchboard/auth"
)

type clientsPage struct {
	Grants []auth.Grant
	All    bool // everyone's, for an administrator
	MCP    string
}

// Clients lists the OAuth clients that act for the person, or for everyone.
func (p *Pages) Clients(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	all := r.URL.Query().Get("all") == "yes"
	grants, err := p.OAuth.Grants(r.Context(), visit.Caller, all)
	if err != nil {
		return err
	}
	page := clientsPage{Grants: grants, All: all, MCP: p.PublicURL + auth.ResourcePath}
	return p.show(w, http.StatusOK, "clients", visit.view(r, "Connected clients", page))
}

// RevokeGrant ends what a client may do.
func (p *Pages) RevokeGrant(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.OAuth.RevokeGrant(r.Context(), visit.Caller, auth.GrantID(r.PathValue("grant"))); err != nil {
		return err
	}
	back := "/clients"
	switch r.PostFormValue("from") {
	case "all":
		back = "/clients?all=yes"
	case "tokens":
		back = "/tokens"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// RevokeAll ends what all of the person's own clients may do.
func (p *Pages) RevokeAll(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.OAuth.RevokeUser(r.Context(), visit.Caller, visit.Caller.User); err != nil {
		return err
	}
	http.Redirect(w, r, "/clients", http.StatusSeeOther)
	return nil
}
