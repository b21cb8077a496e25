package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// How a client may authenticate at the token and revocation endpoints.
const (
	authNone  = "none" // a public client: PKCE and rotation stand in
	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"

	// authSecret is either of the last two: of a client that an administrator added, who need not know which it uses.
	authSecret = "client_secret"
)

// authenticatesBy reports whether the client may use a method.
func (c Client) authenticatesBy(method string) bool {
	return method == c.AuthMethod || c.AuthMethod == authSecret && method != authNone
}

func authMethods() []string { return []string{authNone, authBasic, authPost} }

const maxClientID = 512 // bytes

// client finds who a client_id names, disabled or not. A client that its document describes is as the document now
// says; meets is whether it may be met for the first time. ErrNotFound: nobody.
func (o *OAuth) client(ctx context.Context, id, addr string, meets bool) (Client, error) {
	if id == "" || len(id) > maxClientID || !plainText(id, maxClientID) {
		return Client{}, ErrNotFound
	}
	if isDocumentID(id) {
		return o.documentClient(ctx, id, addr, meets)
	}
	return o.Store.Client(ctx, id)
}

// standsBy reports whether a client still has the address to which a consent was sent. One from another device was
// sent to none; then it is enough that the client's document, if it lives by one, has not been withdrawn.
func (c Client) standsBy(g Grant) bool {
	if g.RedirectURI != "" {
		return matchesRedirect(c.RedirectURIs, g.RedirectURI)
	}
	return c.Kind != ClientDocument || len(c.RedirectURIs) > 0
}

// bars says in a sentence for people why a client that is known may not be used; it is empty if it may.
func (o *OAuth) bars(c Client) string {
	if c.DisabledAt != nil {
		return "An administrator has disabled this app here."
	}
	if c.Kind == ClientDocument && !o.allowsDocumentsOf(c.ID) {
		return notAdmitted(c.ID)
	}
	return ""
}

// credentials are what a client presents of itself.
type credentials struct {
	id     string
	secret Secret
	method string
}

// authenticate finds the client that sends a form and may have tokens. One that may not, though it is who it says, is
// told that its grant is gone: it should not register anew.
func (o *OAuth) authenticate(ctx context.Context, r *http.Request, form url.Values) (Client, error) {
	client, err := o.identify(ctx, r, form)
	if err != nil {
		return Client{}, err
	}
	if why := o.bars(client); why != "" {
		return Client{}, refuse("invalid_grant", "%s", why)
	}
	return client, nil
}

// identify finds the client that sends a form, by the method that it registered.
func (o *OAuth) identify(ctx context.Context, r *http.Request, form url.Values) (Client, error) {
	presented, err := readCredentials(r, form)
	if err != nil {
		return Client{}, err
	}
	client, err := o.client(ctx, presented.id, RemoteAddr(r), false)
	if errors.Is(err, ErrNotFound) || errors.Is(err, errMeetLater) {
		return Client{}, refuse("invalid_client", "There is no such client.")
	}
	if err != nil {
		return Client{}, err
	}
	if !client.authenticatesBy(presented.method) {
		return Client{}, refuse("invalid_client", "This client authenticates with %s.", client.AuthMethod)
	}
	if client.AuthMethod == authNone {
		return client, nil
	}
	if subtle.ConstantTimeCompare(presented.secret.hash(), client.SecretHash) != 1 {
		return Client{}, refuse("invalid_client", "The client secret is wrong.")
	}
	return client, nil
}

func readCredentials(r *http.Request, form url.Values) (credentials, error) {
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		return credentials{}, refuse("invalid_client", "Client assertions are not supported.")
	}
	id, secret := form.Get("client_id"), Secret(form.Get("client_secret"))
	if r.Header.Get("Authorization") == "" {
		if id == "" {
			return credentials{}, refuse("invalid_client", "The client_id is missing.")
		}
		if secret == "" {
			return credentials{id: id, method: authNone}, nil
		}
		return credentials{id: id, secret: secret, method: authPost}, nil
	}
	basicID, basicSecret, err := readBasic(r)
	if err != nil {
		return credentials{}, err
	}
	if secret != "" || id != "" && id != basicID {
		return credentials{}, refuse("invalid_request", "The client authenticates in more than one way.")
	}
	if basicSecret == "" {
		return credentials{id: basicID, method: authNone}, nil // a public client that knows no better
	}
	return credentials{id: basicID, secret: basicSecret, method: authBasic}, nil
}

// readBasic reads HTTP Basic, in which OAuth has both parts form-encoded first (RFC 6749 section 2.3.1).
func readBasic(r *http.Request) (string, Secret, error) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		return "", "", refuse("invalid_client", "The Authorization header is not HTTP Basic.")
	}
	id, idErr := url.QueryUnescape(id)
	secret, secretErr := url.QueryUnescape(secret)
	if idErr != nil || secretErr != nil || strings.Contains(id, "\x00") {
		return "", "", refuse("invalid_client", "The credentials are not form-encoded.")
	}
	return id, Secret(secret), nil
}
