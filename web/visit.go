package web

import (
	"net/http"

	"switchboard/auth"
)

// visit is one request of a person who is logged in.
type visit struct {
	auth.Caller
	csrf        string // for the forms on the page; bound to his login
	lacksFactor bool   // he must set up a second factor first
}

// Admin reports whether to show what only administrators can do. Whether it may be done is decided elsewhere.
func (v visit) Admin() bool { return v.Role == auth.RoleAdmin }

// visit finds who is asking. It is the only place that does, beside post and the event stream.
func (p *Pages) visit(r *http.Request) (visit, error) {
	caller, csrf, err := p.Accounts.RequestCaller(r)
	if err != nil {
		return visit{}, err
	}
	return visit{caller, csrf, false}, nil
}

// post is visit for a form: it must come from one of the person's own pages.
func (p *Pages) post(r *http.Request) (visit, error) {
	v, err := p.visit(r)
	if err != nil {
		return visit{}, err
	}
	return v, p.ownForm(r)
}

// ownForm reads a form and refuses one that is not from a page of the same login.
func (p *Pages) ownForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	if !p.Accounts.CheckCSRF(r) {
		return errStale
	}
	return nil
}

// newcomer is visit for the pages on which second factors are set up: whoever must have one and has none may use
// these, and nothing else.
func (p *Pages) newcomer(r *http.Request) (visit, error) {
	caller, csrf, lacks, err := p.Accounts.Newcomer(r.Context(), p.Accounts.CookieToken(r), auth.RemoteAddr(r))
	if err != nil {
		return visit{}, err
	}
	return visit{caller, csrf, lacks}, nil
}

// newcomerPost is post for those pages.
func (p *Pages) newcomerPost(r *http.Request) (visit, error) {
	v, err := p.newcomer(r)
	if err != nil {
		return visit{}, err
	}
	return v, p.ownForm(r)
}

// view is the page's view for this person.
func (v visit) view(r *http.Request, title string, data any) view {
	page := view{Title: title, Path: r.URL.Path, CSRF: v.csrf, Data: data}
	if !v.lacksFactor { // who can go nowhere is shown no ways
		page.Visit = &v
	}
	return page
}
