package auth

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/auth/outbound"
)

const maxDocument = 10 << 10 // bytes

// How long a document is taken to be as it was, whatever its server says: one that is asked for all the time would
// make us a burden, one that is never asked for could not be changed. What failed is tried again sooner.
const (
	minDocumentLife = 5 * time.Minute
	maxDocumentLife = 24 * time.Hour
	documentRetry   = time.Minute
)

// metadataDocument is a client's description of itself, in the words of registration, with two differences: it says
// which methods of authentication it could use with any server, and it can hold no secret, since everyone may read it.
type metadataDocument struct {
	ID            string          `json:"client_id"`
	AuthMethods   []string        `json:"token_endpoint_auth_methods_supported"` // instead of the one method
	Secret        json.RawMessage `json:"client_secret"`
	SecretExpires json.RawMessage `json:"client_secret_expires_at"`
	registration
}

// documentProblem is what is wrong with a document itself, in words for people. It matches ErrInvalid.
type documentProblem string

func (p documentProblem) Error() string        { return string(p) }
func (p documentProblem) Is(target error) bool { return target == ErrInvalid }

// parseDocument reads the document that was found at id. Its errors are of type documentProblem.
func parseDocument(id string, body []byte, now time.Time) (Client, error) {
	var d metadataDocument
	if err := json.Unmarshal(body, &d); err != nil {
		return Client{}, documentProblem("is not the JSON of client metadata")
	}
	switch {
	case d.ID != id:
		return Client{}, documentProblem("names another client_id than its own address")
	case d.Name == "":
		return Client{}, documentProblem("has no client_name")
	case len(d.Secret) > 0 || len(d.SecretExpires) > 0:
		return Client{}, documentProblem("has a client_secret, which everyone can read there")
	case !d.isPublic():
		return Client{}, documentProblem("does not accept the token endpoint authentication method none")
	}
	d.AuthMethod = authNone
	if err := d.fit(); err != nil {
		return Client{}, err
	}
	var bad *refusal
	if err := d.complete(); errors.As(err, &bad) {
		return Client{}, documentProblem("is refused: " + strings.TrimSuffix(bad.description, "."))
	}
	return Client{
		ID: id, Kind: ClientDocument, Name: d.Name, RedirectURIs: d.RedirectURIs, AuthMethod: authNone,
		Metadata: d.ClientMetadata, CreatedAt: now,
	}, nil
}

// isPublic reports whether the client can do without authentication. The list of methods counts before the single
// one, which is what the client would like best (OpenID Connect RP Metadata Choices 1.0).
func (d *metadataDocument) isPublic() bool {
	if d.AuthMethods != nil {
		return slices.Contains(d.AuthMethods, authNone)
	}
	return d.AuthMethod == "" || d.AuthMethod == authNone
}

// fit leaves of the grants and responses those that we know. A document is for every server, so it may list more.
func (d *metadataDocument) fit() error {
	if len(d.GrantTypes) > 0 && !slices.Contains(d.GrantTypes, grantCode) {
		return documentProblem("does not use the grant type " + grantCode)
	}
	if len(d.ResponseTypes) > 0 && !slices.Contains(d.ResponseTypes, "code") {
		return documentProblem("does not use the response type code")
	}
	d.GrantTypes = slices.DeleteFunc(d.GrantTypes, func(grant string) bool { return !slices.Contains(grantTypes(), grant) })
	d.ResponseTypes = nil
	return nil
}

// isWithdrawn reports whether an answer says that there is no document any more. Other failures can pass.
func isWithdrawn(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }

// isJSON reports whether an answer says that it is JSON.
func isJSON(header http.Header) bool {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

// documentLife is how long a document may be used without asking again (RFC 9111 section 4.2), within our limits.
func documentLife(answer outbound.Response, now time.Time) time.Duration {
	life := minDocumentLife
	if expires, err := http.ParseTime(answer.Header.Get("Expires")); err == nil {
		life = expires.Sub(now)
	}
	for directive := range strings.SplitSeq(strings.Join(answer.Header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return minDocumentLife
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return minDocumentLife
			}
			life = time.Duration(seconds) * time.Second
		}
	}
	return min(max(life, minDocumentLife), maxDocumentLife)
}
