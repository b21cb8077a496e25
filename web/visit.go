package web

import (
	"net/http"

	"switchboard/auth"
)

// visit is one request of a person who is logged in.
type visit struct {
	auth.Caller
	csrf string // for the forms on the page; bound to his login
}

// Admin reports whether to show what only administrators can do. Whether it may be done is decided elsewhere.
func (v visit) Admin() bool { return v.Role == auth.RoleAdmin }

// visit finds who is asking. It is the only place that does, beside post and the event stream.
func (p *Pages) visit(r *http.Request) (visit, error) {
	caller, csrf, err := p.Accounts.RequestCaller(r)
	if err != nil {
		return visit{}, err
	}
	return visit{caller, csrf}, nil
}

// post is visit for a form: it must come from one of the person's own pages.
func (p *Pages) post(r *http.Request) (visit, error) {
	v, err := p.visit(r)
	if err != nil {
		return visit{}, err
	}
	if err := r.ParseForm(); err != nil {
		return visit{}, badForm(err)
	}
	if !p.Accounts.CheckCSRF(r) {
		return visit{}, errStale
	}
	return v, nil
}

// view is the page's view for this person.
func (v visit) view(r *http.Request, title string, data any) view {
	return view{Title: title, Path: r.URL.Path, Visit: &v, CSRF: v.csrf, Data: data}
}
