package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// What can be wrong with the credentials of a request to the protected resource. The first two get 401, the
// third 400 (RFC 6750 section 3.1).
var (
	ErrNoToken      = errors.New("no bearer token")
	ErrInvalidToken = errors.New("the access token is invalid or has expired")
	ErrTwoTokens    = errors.New("more than one Authorization header")
)

// maxToken is longer than any token that was ever made here.
const maxToken = 256

// ParseBearer reads the token from the values of the Authorization header. Nothing else carries one: not the
// query, not a form (RFC 9700 section 4.3.2).
func ParseBearer(values []string) (Secret, error) {
	if len(values) == 0 {
		return "", ErrNoToken
	}
	if len(values) > 1 {
		return "", ErrTwoTokens
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNoToken
	}
	token = strings.Trim(token, " ")
	if token == "" {
		return "", ErrNoToken
	}
	if len(token) > maxToken || strings.ContainsFunc(token, notB64Token) {
		return "", ErrInvalidToken
	}
	return Secret(token), nil
}

// notB64Token reports whether r cannot be in a token (RFC 6750 section 2.1).
func notB64Token(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("-._~+/=", r)
}

// Bearer finds who asks by the access token in r's header. ErrInvalidToken does not tell what is wrong: unknown,
// expired, revoked, of a suspended person, for another resource.
func (o *OAuth) Bearer(ctx context.Context, r *http.Request) (Caller, error) {
	token, err := ParseBearer(r.Header.Values("Authorization"))
	if err != nil {
		return Caller{}, err
	}
	return o.Check(ctx, token, RemoteAddr(r))
}

// Check is Bearer for a token in hand, used again while a stream is open.
func (o *OAuth) Check(ctx context.Context, token Secret, addr string) (Caller, error) {
	now, key := o.Now(), keyOf(token)
	access, touch, ok := o.Changes.recall(key, now)
	if ok && !touch {
		return access.caller(addr), nil
	}
	ctx, done := context.WithTimeout(ctx, storeTimeout)
	defer done()
	if !ok {
		var err error
		if access, err = o.lookUp(ctx, token, key, now); err != nil {
			return Caller{}, err
		}
		touch = access.unused(now)
	}
	if touch {
		if err := o.Store.TouchGrant(ctx, access.Grant, addr, now); err != nil {
			return Caller{}, err
		}
	}
	return access.caller(addr), nil
}

// lookUp asks the store who holds a token, and remembers it.
func (o *OAuth) lookUp(ctx context.Context, token Secret, key tokenKey, now time.Time) (Access, error) {
	kind, signature, ok := o.tokens().verifyAny(token, KindAccess, KindPersonal)
	if !ok {
		return Access{}, ErrInvalidToken // not made here: no need to ask the store
	}
	count := o.Changes.count()
	access, err := o.Store.Access(ctx, kind, signature, now)
	if errors.Is(err, ErrNotFound) || err == nil && access.Resource != o.Resource() {
		return Access{}, ErrInvalidToken
	}
	if err != nil {
		return Access{}, err
	}
	o.Changes.remember(key, access, now, count)
	return access, nil
}

// caller is who holds the token. A grant that has a name goes by it in the audit log.
func (a Access) caller(addr string) Caller {
	return Caller{
		User: a.User, UserName: a.UserName, Role: a.Role, ClientID: a.ClientID, Client: cmp.Or(a.GrantName, a.Client),
		Grant: a.Grant, Scopes: a.Scopes, Addr: addr,
	}
}
