package web

import (
	"net/http"
	"slices"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

type newSessionPage struct {
	Asked               fleet.NewSession
	Key                 string // of this form, so that sending it twice starts one session
	Problem             string
	Hosts               []hostCard
	Templates           []fleet.Template
	Roots, Kinds, Modes []string // of all those hosts
}

// NewSession is the form that starts a session. Its query fills it in, so that others can link to it.
func (p *Pages) NewSession(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	page := newSessionPage{Key: protocol.NewID(), Asked: fleet.NewSession{
		Host: query.Get("host"), Template: query.Get("template"), WorkingDir: query.Get("working_dir"), Name: query.Get("name"),
	}}
	return p.showNewSession(w, r, visit, http.StatusOK, page)
}

// CreateSession starts one.
func (p *Pages) CreateSession(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	asked := fleet.NewSession{
		Name: r.PostFormValue("name"), Host: r.PostFormValue("host"), WorkingDir: r.PostFormValue("working_dir"),
		Template: r.PostFormValue("template"), Agent: r.PostFormValue("agent"),
		PermissionMode: r.PostFormValue("permission_mode"), Message: r.PostFormValue("message"),
		IdempotencyKey: r.PostFormValue("key"),
	}
	session, err := p.Fleet.CreateSession(r.Context(), visit.Caller, asked)
	if problem := correctable(err); problem != "" {
		page := newSessionPage{Asked: asked, Key: protocol.NewID(), Problem: problem}
		return p.showNewSession(w, r, visit, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/sessions/"+string(session.ID), http.StatusSeeOther)
	return nil
}

func (p *Pages) showNewSession(w http.ResponseWriter, r *http.Request, visit visit, status int, page newSessionPage) error {
	hosts, err := p.Fleet.ListHosts(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	page.Templates, err = p.Fleet.Templates(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	for _, h := range operable(hosts) {
		page.Hosts = append(page.Hosts, p.hostCard(h))
		page.Roots = union(page.Roots, h.Roots)
		page.Modes = union(page.Modes, h.Modes)
		for _, kind := range h.Kinds {
			if kind.Missing == "" {
				page.Kinds = union(page.Kinds, []string{kind.Name})
			}
		}
	}
	return p.show(w, status, "session-new", visit.view(r, "New session", page))
}

func union(known, more []string) []string {
	for _, s := range more {
		if !slices.Contains(known, s) {
			known = append(known, s)
		}
	}
	return known
}
