package web

import (
	"errors"
	"net/http"
	"net/url"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

type hostPage struct {
	Host      hostCard
	Owner     bool // the reader is, and may share it
	MayRemove bool
	Shares    []share
	People    []auth.User // with whom it could be shared
	Problem   string
}

type share struct {
	fleet.Share
	Words string
}

var shareWords = map[fleet.Access]string{
	fleet.AccessViewer:   "viewer: sees its sessions",
	fleet.AccessOperator: "operator: acts on its sessions",
}

// Host shows one host, and to its owner with whom it is shared.
func (p *Pages) Host(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.showHost(w, r, visit, http.StatusOK, "")
}

func (p *Pages) showHost(w http.ResponseWriter, r *http.Request, visit visit, status int, problem string) error {
	host, err := p.Fleet.Host(r.Context(), visit.Caller, r.PathValue("host"))
	if err != nil {
		return err
	}
	page := hostPage{
		Host: p.hostCard(host), Owner: host.Access == fleet.AccessOwner, Problem: problem,
		MayRemove: host.Access == fleet.AccessOwner || visit.Admin(),
	}
	if page.Owner {
		if err := p.addShares(r, visit, &page); err != nil {
			return err
		}
	}
	return p.show(w, status, "host", visit.view(r, line(host.Name), page))
}

func (p *Pages) addShares(r *http.Request, visit visit, page *hostPage) error {
	shares, err := p.Fleet.Shares(r.Context(), visit.Caller, string(page.Host.ID))
	if err != nil {
		return err
	}
	sharing := map[auth.UserID]bool{page.Host.Owner: true}
	for _, s := range shares {
		sharing[s.User] = true
		page.Shares = append(page.Shares, share{s, shareWords[s.Access]})
	}
	users, err := p.Accounts.Users(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	for _, u := range users {
		if !sharing[u.ID] && u.SuspendedAt == nil {
			page.People = append(page.People, u)
		}
	}
	return nil
}

// accessNamed reads a form's access; what is no level is none that can be given.
var accessNamed = map[string]fleet.Access{
	"viewer": fleet.AccessViewer, "operator": fleet.AccessOperator, "none": fleet.AccessNone,
}

// ShareHost lets a person see or operate a host, or no longer.
func (p *Pages) ShareHost(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	access, ok := accessNamed[r.PostFormValue("access")]
	if !ok {
		return p.showHost(w, r, visit, http.StatusBadRequest, "Access must be viewer, operator or none.")
	}
	user := auth.UserID(r.PostFormValue("user"))
	err = p.Fleet.ShareHost(r.Context(), visit.Caller, r.PathValue("host"), user, access)
	if problem := correctable(err); problem != "" {
		return p.showHost(w, r, visit, http.StatusBadRequest, problem)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/hosts/"+r.PathValue("host"), http.StatusSeeOther)
	return nil
}

// ConfirmRemoveHost asks before a host is cut off.
func (p *Pages) ConfirmRemoveHost(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	host, err := p.Fleet.Host(r.Context(), visit.Caller, r.PathValue("host"))
	if err != nil {
		return err
	}
	if host.Access != fleet.AccessOwner && !visit.Admin() {
		return auth.ErrForbidden
	}
	page := confirmPage{
		Text:   "Its connection is cut within a second, and it cannot come back with its key. Sessions that run on it go on there, but nobody reaches them from here any more.",
		Points: []string{"To have it again, register it anew."},
		Action: "/hosts/" + string(host.ID) + "/remove", Button: "Remove", Back: "/hosts/" + string(host.ID),
	}
	return p.show(w, http.StatusOK, "confirm", visit.view(r, "Remove "+line(host.Name)+"?", page))
}

// RemoveHost cuts a host off. To repeat it is no mistake: the host is gone either way.
func (p *Pages) RemoveHost(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	err = p.Fleet.RemoveHost(r.Context(), visit.Caller, r.PathValue("host"))
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return err
	}
	http.Redirect(w, r, "/hosts", http.StatusSeeOther)
	return nil
}

// confirmPage asks before something that cannot be taken back.
type confirmPage struct {
	Text     string
	Points   []string
	Checkbox *checkbox
	Action   string
	Button   string
	Back     string
	Hidden   url.Values // fields to send along
}

type checkbox struct{ Name, Label, Help string }
