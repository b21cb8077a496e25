package web

import (
	"net/http"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

type templatesPage struct {
	Templates []fleet.Template
	Hosts     []fleet.Host
	Asked     fleet.Template // what could not be saved
	Problem   string
}

// Templates lists the named ways to start a session.
func (p *Pages) Templates(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.showTemplates(w, r, visit, http.StatusOK, templatesPage{})
}

func (p *Pages) showTemplates(w http.ResponseWriter, r *http.Request, visit visit, status int, page templatesPage) error {
	var err error
	page.Templates, err = p.Fleet.Templates(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	page.Hosts, err = p.Fleet.ListHosts(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	page.Hosts = operable(page.Hosts)
	return p.show(w, status, "templates", visit.view(r, "Templates", page))
}

// SaveTemplate adds one, or replaces the one of that name.
func (p *Pages) SaveTemplate(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	template := fleet.Template{
		Name: r.PostFormValue("name"), Description: r.PostFormValue("description"),
		Host: protocol.HostID(r.PostFormValue("host")), WorkingDir: r.PostFormValue("working_dir"),
		Agent: r.PostFormValue("agent"), PermissionMode: r.PostFormValue("permission_mode"),
		Message: r.PostFormValue("message"),
	}
	err = p.Fleet.SaveTemplate(r.Context(), visit.Caller, template)
	if problem := correctable(err); problem != "" {
		return p.showTemplates(w, r, visit, http.StatusBadRequest, templatesPage{Asked: template, Problem: problem})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/templates", http.StatusSeeOther)
	return nil
}

// RemoveTemplate removes one.
func (p *Pages) RemoveTemplate(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.Fleet.RemoveTemplate(r.Context(), visit.Caller, r.PathValue("template")); err != nil {
		return err
	}
	http.Redirect(w, r, "/templates", http.StatusSeeOther)
	return nil
}
