package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

// authorization is a client's request for a person's consent that has been found good.
type authorization struct {
	client      Client
	redirectURI string // empty: nothing may be redirected, for nobody has vouched for the address
	state       string
	hasState    bool
	scopes      Scopes
	challenge   string
	prompt      string
}

// maxState is how long a client's state may be. It travels through two pages.
const maxState = 4096

// challengeS256 is base64url of a SHA-256 sum (RFC 7636 section 4.2).
var challengeS256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Authorize answers at AuthorizePath: the browser of a person whom a client has sent, and his answer on the
// consent page.
func (o *OAuth) Authorize(w http.ResponseWriter, r *http.Request) {
	protectPage(w)
	r, done := bounded(r)
	defer done()
	var err error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		err = o.ask(w, r)
	case http.MethodPost:
		err = o.decide(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		err = o.Pages.Refuse(w, r, http.StatusMethodNotAllowed, "This page is opened by an app that asks for access.")
	}
	if err != nil {
		o.Log.ErrorContext(r.Context(), "authorization page failed", "err", err)
	}
}

// protectPage sets the headers of a page on which a click gives something away.
func protectPage(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
}

// ask leads to the consent page, by way of the login page if nobody is logged in.
func (o *OAuth) ask(w http.ResponseWriter, r *http.Request) error {
	caller, csrf, err := o.Accounts.RequestCaller(r)
	if err != nil && !errors.Is(err, ErrNoLogin) {
		return o.refuseAuthorization(w, r, authorization{}, err)
	}
	nobody := err != nil
	a, err := o.authorization(r.Context(), r.URL.RawQuery, caller)
	if errors.Is(err, errMeetLater) || err == nil && nobody && a.prompt != "none" {
		w.Header().Set("Location", loginPath(AuthorizePath+"?"+r.URL.RawQuery))
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return o.refuseAuthorization(w, r, a, err)
	}
	if nobody {
		return o.refuseAuthorization(w, r, a, refuse("login_required", "Nobody is logged in."))
	}
	if a.prompt == "none" {
		// Consent is never remembered: a click for each connection costs little, and what it gives away is much.
		return o.refuseAuthorization(w, r, a, refuse("consent_required", "The person must be asked."))
	}
	return o.showConsent(w, r, a, caller, csrf)
}

// authorization reads and checks a request that is at c's browser; nobody may be logged in there. With an error, the
// authorization's redirectURI tells whether the client may hear of it.
func (o *OAuth) authorization(ctx context.Context, query string, c Caller) (authorization, error) {
	form, err := url.ParseQuery(query)
	if err != nil {
		return authorization{}, refuse("invalid_request", "The link cannot be read.")
	}
	if isRepeated(form, "client_id", "redirect_uri") {
		return authorization{}, refuse("invalid_request", "The link names its app or its address more than once.")
	}
	a := authorization{state: form.Get("state"), hasState: form.Has("state")}
	if len(a.state) > maxState {
		return authorization{}, refuse("invalid_request", "The link's state is longer than %d bytes.", maxState)
	}
	a.client, err = o.client(ctx, form.Get("client_id"), c.Addr, c.User != "")
	var strange strangeApp
	if errors.As(err, &strange) {
		return authorization{}, refuse("invalid_request", "%s", strange)
	}
	if errors.Is(err, ErrNotFound) {
		return authorization{}, refuse("invalid_request", "The app is not registered here. Remove the connection in the app and add it again.")
	}
	if err != nil {
		return authorization{}, err
	}
	if why := o.bars(a.client); why != "" {
		return authorization{}, refuse("invalid_request", "%s", why)
	}
	redirectURI := form.Get("redirect_uri")
	if redirectURI == "" || !matchesRedirect(a.client.RedirectURIs, redirectURI) {
		return authorization{}, refuse("invalid_request", "The app wants the answer sent to an address that it did not register.")
	}
	a.redirectURI = redirectURI
	return o.checkAuthorization(a, form)
}

// checkAuthorization checks what a client may be told about.
func (o *OAuth) checkAuthorization(a authorization, form url.Values) (authorization, error) {
	if isRepeated(form, "state") {
		a.hasState = false // which one would be echoed?
	}
	if err := onlyOnce(form); err != nil {
		return a, err
	}
	switch {
	case form.Has("request"):
		return a, refuse("request_not_supported", "Request objects are not supported.")
	case form.Has("request_uri"):
		return a, refuse("request_uri_not_supported", "Request objects are not supported.")
	case form.Get("response_type") == "":
		return a, refuse("invalid_request", "The response_type is missing.")
	case form.Get("response_type") != "code":
		return a, refuse("unsupported_response_type", "Only the response_type code is supported.")
	case form.Get("response_mode") != "" && form.Get("response_mode") != "query":
		return a, refuse("invalid_request", "Only the response_mode query is supported.")
	case !o.isResource(form["resource"]):
		return a, refuse("invalid_target", "The resource must be %s.", o.Resource())
	case form.Get("code_challenge_method") != "S256":
		return a, refuse("invalid_request", "The code_challenge_method must be S256.")
	case !challengeS256.MatchString(form.Get("code_challenge")):
		return a, refuse("invalid_request", "The code_challenge must have 43 characters of base64url.")
	}
	a.challenge, a.prompt = form.Get("code_challenge"), form.Get("prompt")
	var err error
	a.scopes, err = a.client.requestedScopes(form.Get("scope"))
	return a, err
}

// requestedScopes reads the scopes that a client asks for; if it names none it gets what the resource asks for. A
// client that registered for refresh tokens is given offline_access too, and the person is shown it: some clients
// ask only for what the resource's metadata list, which leave it out, and would be cut off after half an hour.
func (c Client) requestedScopes(text string) (Scopes, error) {
	scopes := ParseScopes(text)
	if len(scopes) == 0 {
		scopes = ResourceScopes()
	}
	for _, scope := range scopes {
		if !AllScopes().Has(scope) {
			return nil, refuse("invalid_scope", "There is no such scope as %q.", scope)
		}
	}
	if slices.Contains(c.Metadata.GrantTypes, grantRefresh) && !scopes.Has(ScopeOffline) {
		scopes = append(scopes, ScopeOffline)
	}
	return scopes, nil
}

// refuseAuthorization tells the client, if its address is known to be its own, or else the person.
func (o *OAuth) refuseAuthorization(w http.ResponseWriter, r *http.Request, a authorization, err error) error {
	e, ok := asRefusal(err)
	if !ok {
		o.Log.ErrorContext(r.Context(), "authorization failed", "err", err)
	}
	if a.redirectURI == "" || e.status >= http.StatusInternalServerError {
		if e.status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", strconv.Itoa(int(RetryAfter.Seconds())))
		}
		return o.Pages.Refuse(w, r, e.status, e.description)
	}
	o.redirect(w, a, url.Values{"error": {e.code}, "error_description": {e.description}})
	return nil
}

// redirect sends the browser back to the client, always with our name (RFC 9207), so that it can tell us from
// another server that it asked at the same time.
func (o *OAuth) redirect(w http.ResponseWriter, a authorization, parameters url.Values) {
	if a.hasState {
		parameters.Set("state", a.state)
	}
	parameters.Set("iss", o.PublicURL)
	w.Header().Set("Location", withParameters(a.redirectURI, parameters))
	w.WriteHeader(http.StatusSeeOther)
}
