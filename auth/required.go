package auth

import (
	"context"
	"fmt"
)

// SecondFactor says who must have a second factor: whoever logs in with a password alone then can do nothing but set
// one up. A login by passkey is two factors; one at an identity provider is that provider's matter.
type SecondFactor string

// The values of SecondFactor; the empty one is SecondFactorOff.
const (
	SecondFactorOff      SecondFactor = "off"
	SecondFactorAdmins   SecondFactor = "admins"
	SecondFactorEveryone SecondFactor = "everyone"
)

func (s SecondFactor) covers(role Role) bool {
	return s == SecondFactorEveryone || s == SecondFactorAdmins && role == RoleAdmin
}

// ErrNoSecondFactor: the browser is logged in, but must set up a second factor before it can do anything. It matches
// ErrNoLogin, so that whoever does not know it keeps the browser out.
var ErrNoSecondFactor = fmt.Errorf("a second factor must be set up first: %w", ErrNoLogin)

// lacksFactor is asked at each request, so that the rule holds for logins that were there before it.
func (a *Accounts) lacksFactor(s WebSession, u User) bool {
	return s.Proof == ProofPassword && a.SecondFactor.covers(u.Role)
}

// Newcomer is Caller for the pages on which a second factor is set up: a login that lacks one is let in too, without
// any scope, and lacks reports that.
func (a *Accounts) Newcomer(ctx context.Context, token Secret, addr string) (c Caller, csrf string, lacks bool, err error) {
	session, user, err := a.session(ctx, token)
	if err != nil {
		return Caller{}, "", false, err
	}
	c = user.caller(addr)
	if lacks = a.lacksFactor(session, user); lacks {
		c.Scopes = nil
	}
	return c, csrfToken(token), lacks, a.touch(ctx, session, addr)
}
