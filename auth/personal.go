package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NewPersonalToken is what a person asks for when he makes a token for a script of his.
type NewPersonalToken struct {
	Name   string
	Scopes Scopes
	Days   int // until it expires; one of PersonalTokenDays
}

// PersonalTokenDays are how long a personal token may live. There is none without an end: nobody remembers where
// it lies.
func PersonalTokenDays() []int { return []int{7, 30, 90, 365} }

const (
	// MaxPersonalTokens is how many good ones a person may have at a time.
	MaxPersonalTokens = 50
	maxTokenName      = 60 // characters
)

// ErrTooManyTokens matches ErrInvalid.
var ErrTooManyTokens = &FieldError{"token", fmt.Sprintf("is one too many: you may have %d, revoke one first", MaxPersonalTokens)}

// CreatePersonalToken makes a token with which a script acts for the caller at the protected resource, until it
// expires or is revoked like any other grant. It is returned this once; only its signature is kept.
func (o *OAuth) CreatePersonalToken(ctx context.Context, c Caller, n NewPersonalToken) (Secret, Grant, error) {
	if !c.Scopes.Has(ScopeManage) { // a client must not make itself a token that outlives it
		return "", Grant{}, &ScopeError{ScopeManage}
	}
	if !o.Accounts.isRecent(c.ProvedAt) {
		return "", Grant{}, ErrProveAgain
	}
	n.Name = strings.TrimSpace(n.Name)
	if err := n.check(); err != nil {
		return "", Grant{}, err
	}
	now := o.Now()
	ends := now.AddDate(0, 0, n.Days)
	grant := Grant{
		ID: GrantID(rand.Text()), User: c.User, UserName: c.UserName, ClientID: personalClient, Origin: OriginPersonal,
		Name: n.Name, Scopes: n.Scopes, Resource: o.Resource(), CreatedAt: now, ExpiresAt: &ends,
	}
	token, signature := o.tokens().new(KindPersonal)
	stored := StoredToken{
		Kind: KindPersonal, Signature: signature, Grant: grant.ID, Scopes: n.Scopes, CreatedAt: now, ExpiresAt: ends,
	}
	detail := map[string]string{"name": n.Name, "scopes": n.Scopes.String(), "expires": ends.UTC().Format(time.RFC3339)}
	if err := o.record(ctx, c, "oauth.personal_token", string(grant.ID), true, detail); err != nil {
		return "", Grant{}, err
	}
	err := o.Store.InsertPersonalToken(ctx, grant, stored, MaxPersonalTokens)
	if errors.Is(err, ErrTooManyTokens) {
		return "", Grant{}, ErrTooManyTokens
	}
	if err != nil {
		return "", Grant{}, err
	}
	return token, grant, nil
}

func (n NewPersonalToken) check() error {
	switch {
	case n.Name == "":
		return &FieldError{"name", "is missing: say what the token is for"}
	case !plainText(n.Name, maxTokenName):
		return &FieldError{"name", fmt.Sprintf("must be at most %d characters, without control or invisible ones", maxTokenName)}
	case len(n.Scopes) == 0:
		return &FieldError{"scopes", "are missing: choose at least one thing that the token may do"}
	case !slices.Contains(PersonalTokenDays(), n.Days):
		return &FieldError{"expiry", fmt.Sprintf("must be one of %v days", PersonalTokenDays())}
	}
	for i, scope := range n.Scopes {
		if !ResourceScopes().Has(scope) || n.Scopes[:i].Has(scope) {
			return &FieldError{"scopes", fmt.Sprintf("cannot have %q", scope)}
		}
	}
	return nil
}
