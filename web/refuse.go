package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// Errors of the pages themselves.
var (
	errNoPage  = errors.New("no such page")
	errForeign = errors.New("the form was sent from another site")
	errStale   = errors.New("the form is out of date: load the page again and repeat what you did")
	errMany    = errors.New("too many pages are being followed at once")
)

// formError says in words for people what is wrong with a form. It matches auth.ErrInvalid.
type formError string

func (e formError) Error() string        { return string(e) }
func (e formError) Is(target error) bool { return target == auth.ErrInvalid }

// refusal is an error as a reader sees it.
type refusal struct {
	status    int
	title     string
	Text      string
	Reference string // of the log line, when the reader is told nothing else
}

// refuse is the one place where an error becomes an answer.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the reader has gone
	}
	switch {
	case errors.Is(err, auth.ErrNoSecondFactor):
		http.Redirect(w, r, withReturn("/second-factor", cameFor(r)), http.StatusSeeOther)
		return
	case errors.Is(err, auth.ErrProveAgain):
		http.Redirect(w, r, withReturn("/account/prove", proveFor(r)), http.StatusSeeOther)
		return
	case errors.Is(err, auth.ErrNoLogin):
		http.Redirect(w, r, loginAddress(r), http.StatusSeeOther)
		return
	}
	answer := p.judge(r, err)
	var throttled *auth.ThrottledError
	switch {
	case errors.As(err, &throttled):
		w.Header().Set("Retry-After", strconv.Itoa(int(throttled.RetryAfter.Seconds())+1))
	case answer.status == http.StatusServiceUnavailable || answer.status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(int(auth.RetryAfter.Seconds())))
	}
	view := view{Title: answer.title, Path: r.URL.Path, Data: answer}
	// Best effort: an error page without the menu is better than none, and the store may be what is away.
	if visit, err := p.visit(r); err == nil {
		view.Visit, view.CSRF = &visit, visit.csrf
	}
	if err := p.show(w, answer.status, "problem", view); err != nil {
		p.Log.ErrorContext(r.Context(), "error page not shown", "err", err)
		http.Error(w, answer.title, answer.status)
	}
}

// loginAddress leads back to where the reader wanted to go.
func loginAddress(r *http.Request) string {
	if wish := cameFor(r); wish != "/" {
		return withReturn("/login", wish)
	}
	return "/login"
}

// cameFor is where the reader wanted to go. A form cannot be repeated after a login.
func cameFor(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	return r.URL.RequestURI()
}

// proveFor is cameFor for what needs a fresh proof: forms of the account's page, and of those whose forms come to their
// own address or below it.
func proveFor(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	for _, page := range []string{"/users", "/tokens", "/clients/registered"} {
		if r.URL.Path == page || strings.HasPrefix(r.URL.Path, page+"/") {
			return page
		}
	}
	return "/account"
}

// withReturn is the address of a page that leads on to another.
func withReturn(address, returnTo string) string {
	return address + "?return_to=" + url.QueryEscape(returnTo)
}

// judge says what an error is to the reader. Not found does not tell what exists from what is another's.
func (p *Pages) judge(r *http.Request, err error) refusal {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNoPage), errors.Is(err, auth.ErrNotFound):
		return refusal{status: http.StatusNotFound, title: "Not found", Text: "There is nothing here, or nothing that you may see."}
	case errors.Is(err, errForeign), errors.Is(err, errStale):
		return refusal{status: http.StatusForbidden, title: "Not done", Text: sentence(err)}
	case errors.Is(err, auth.ErrForbidden):
		return refusal{status: http.StatusForbidden, title: "Not allowed", Text: forbidden(err)}
	case errors.As(err, &tooLarge):
		return refusal{status: http.StatusRequestEntityTooLarge, title: "Too long", Text: "That is more than this page takes."}
	case errors.Is(err, auth.ErrThrottled), errors.Is(err, errMany):
		return refusal{status: http.StatusTooManyRequests, title: "Too many attempts", Text: sentence(err)}
	case errors.Is(err, auth.ErrInvalid):
		return refusal{status: http.StatusBadRequest, title: "That does not fit", Text: sentence(err)}
	case errors.Is(err, fleet.ErrConflict):
		return refusal{status: http.StatusConflict, title: "Not now", Text: sentence(err)}
	case errors.Is(err, fleet.ErrUnknown):
		return refusal{status: http.StatusGatewayTimeout, title: "No answer", Text: sentence(err)}
	case errors.Is(err, fleet.ErrDown), hostAway(err):
		return refusal{status: http.StatusServiceUnavailable, title: "Not available", Text: sentence(err)}
	case errors.Is(err, auth.ErrUnavailable):
		// The store: what it says is for the log, not for the reader.
		p.Log.WarnContext(r.Context(), "page unavailable", "path", r.URL.Path, "err", err)
		text := "The database cannot be reached at the moment. Nothing was done; try again in a few seconds."
		return refusal{status: http.StatusServiceUnavailable, title: "Not available", Text: text}
	}
	var fromHost *protocol.Error
	if errors.As(err, &fromHost) && fromHost.Code != protocol.CodeInternal {
		return refusal{status: hostStatus[fromHost.Code], title: "The host says no", Text: sentence(err)}
	}
	reference := protocol.NewID()
	p.Log.ErrorContext(r.Context(), "page failed", "reference", reference, "method", r.Method, "path", r.URL.Path, "err", err)
	return refusal{
		status: http.StatusInternalServerError, title: "That went wrong",
		Text: "Something failed here that should not. It may or may not have been done.", Reference: reference,
	}
}

// hostAway reports whether a host cannot be reached, and not the store, of which fleet says nothing to people.
func hostAway(err error) bool { return errors.Is(err, fleet.ErrUnavailable) && fleet.ForPeople(err) }

// forbidden says why, unless only a client could make use of it.
func forbidden(err error) string {
	var scope *auth.ScopeError
	if errors.As(err, &scope) || errors.Unwrap(err) == nil {
		return "You may not do this."
	}
	return sentence(err)
}

// hostStatus is what each of a host's refusals is in HTTP. Internal is not in it: it is a failure, and logged.
var hostStatus = map[protocol.Code]int{
	protocol.CodeInvalid:     http.StatusBadRequest,
	protocol.CodeRefused:     http.StatusForbidden,
	protocol.CodeNotFound:    http.StatusNotFound,
	protocol.CodeConflict:    http.StatusConflict,
	protocol.CodeSettled:     http.StatusConflict,
	protocol.CodeUnavailable: http.StatusServiceUnavailable,
}

// correctable is an error's text if the reader can mend it in the form that he sent, and empty if not.
func correctable(err error) string {
	var fromHost *protocol.Error
	if errors.As(err, &fromHost) && fromHost.Code != protocol.CodeInternal {
		return sentence(err)
	}
	for _, kind := range []error{auth.ErrInvalid, fleet.ErrConflict} {
		if errors.Is(err, kind) {
			return sentence(err)
		}
	}
	return ""
}

// sentence is an error's text for people: from a capital to a full stop.
func sentence(err error) string {
	text := strings.TrimSuffix(line(err.Error()), ".")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
