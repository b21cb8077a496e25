package web

import (
	"fmt"
	"net/http"

	"switchboard/auth"
)

// RevokeGrant ends what a client or a token may do.
func (p *Pages) RevokeGrant(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	if err := p.OAuth.RevokeGrant(r.Context(), visit.Caller, auth.GrantID(r.PathValue("grant"))); err != nil {
		return err
	}
	back := clientsPath(grantFilter(r.PostForm))
	if r.PostFormValue("from") == "tokens" {
		back = "/tokens"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// ConfirmRevokeAll asks before all grants of the reader, of a person or of a client end.
func (p *Pages) ConfirmRevokeAll(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	filter := grantFilter(r.URL.Query())
	if !oneOwner(filter) {
		return errNoPage
	}
	grants, err := p.OAuth.Grants(r.Context(), visit.Caller, filter)
	if err != nil {
		return err
	}
	title := "End all of mine?"
	if filter.Everyone {
		title = "End all of " + endOf(filter, grants) + "?"
	}
	connections := fmt.Sprintf("%d connections", len(grants))
	if len(grants) == 1 {
		connections = "1 connection"
	}
	page := confirmPage{
		Text:   connections + " can do nothing from the next request on.",
		Points: []string{"Clients must be connected again, and personal tokens made anew."},
		Action: "/clients/revoke", Button: "End all", Back: clientsPath(filter), Hidden: filterQuery(filter),
	}
	return p.show(w, http.StatusOK, "confirm", visit.view(r, title, page))
}

// oneOwner reports whether a filter names what can be ended at once: not everything of everyone, and not a mixture.
func oneOwner(f auth.GrantFilter) bool {
	return !f.Everyone || (f.User == "") != (f.Client == "")
}

// endOf names whose grants end, as far as there are any.
func endOf(f auth.GrantFilter, grants []auth.Grant) string {
	switch {
	case len(grants) == 0:
		return "nothing"
	case f.User != "":
		return line(grants[0].UserName) + "'s"
	}
	return line(grants[0].Client)
}

// RevokeAll carries that out.
func (p *Pages) RevokeAll(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	filter := grantFilter(r.PostForm)
	switch {
	case !oneOwner(filter):
		return errNoPage
	case filter.Client != "":
		err = p.OAuth.RevokeClient(r.Context(), visit.Caller, filter.Client)
	case filter.User != "":
		err = p.OAuth.RevokeUser(r.Context(), visit.Caller, filter.User)
	default:
		err = p.OAuth.RevokeUser(r.Context(), visit.Caller, visit.User)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, clientsPath(filter), http.StatusSeeOther)
	return nil
}
