package auth

import (
	"context"
	"errors"
	"time"
)

// proofLife is how long a person who has proved who he is may change what lets him in.
const proofLife = 10 * time.Minute

// ErrProveAgain: the login is good, but too old for what was asked; ask for the password or a passkey again.
var ErrProveAgain = errors.New("prove again who you are")

// recent is the gate of what changes how a person logs in: the caller asks from a browser, and has proved there who
// he is a short while ago. Whoever finds a browser open cannot do these things.
func (a *Accounts) recent(ctx context.Context, c Caller, token Secret) (WebSession, error) {
	session, user, err := a.session(ctx, token)
	if err != nil {
		return WebSession{}, err
	}
	if user.ID != c.User {
		return WebSession{}, ErrNoLogin
	}
	if !a.isRecent(session.ProvedAt) {
		return WebSession{}, ErrProveAgain
	}
	if !a.lacksFactor(session, user) {
		return session, nil
	}
	// He may set one up, unless he has one: then he must show it, or a password would win another.
	factors, err := a.Store.Factors(ctx, user.ID)
	if err == nil && factors.Passkeys > 0 {
		err = ErrProveAgain
	}
	return session, err
}

// isRecent is also the gate of what outlives the login and lets somebody in who has only found a browser open: personal
// tokens, invitations, clients that an administrator vouches for. Those need nothing else of the login.
func (a *Accounts) isRecent(provedAt time.Time) bool { return a.Now().Sub(provedAt) <= proofLife }

var errWantsPasskey = &FieldError{"password", "is not enough here: use your passkey"}

// Prove lets a person prove who he is again, with his password and, if he has an app, a code.
func (a *Accounts) Prove(ctx context.Context, c Caller, token, password, code Secret) (Login, error) {
	session, user, err := a.session(ctx, token)
	if err != nil {
		return Login{}, err
	}
	if user.ID != c.User {
		return Login{}, ErrNoLogin
	}
	factors, err := a.Store.Factors(ctx, user.ID)
	if err != nil {
		return Login{}, err
	}
	if a.wantsPasskey(user, factors) {
		return Login{}, errWantsPasskey
	}
	if err := a.provePassword(ctx, user, password, code, c.Addr); err != nil {
		return Login{}, err
	}
	if err := a.record(ctx, c, "login.prove", string(c.User), true, nil); err != nil {
		return Login{}, err
	}
	return a.renew(ctx, session, session.Proof)
}

// provePassword checks a password, and a code if the person has an app. Failures count as those of a login do.
func (a *Accounts) provePassword(ctx context.Context, user User, password, code Secret, addr string) error {
	attempt, err := a.attempt(ctx, user.Name, addr)
	if err != nil {
		return err
	}
	_, err = a.authenticate(ctx, user.Name, password)
	if err == nil {
		err = a.useCodeIfAny(ctx, user, code)
	}
	if err != nil {
		return a.loginFailed(ctx, attempt, user.Name, addr, err)
	}
	return a.Store.ForgetAttempts(ctx, user.Name, Network(addr))
}

func (a *Accounts) useCodeIfAny(ctx context.Context, user User, code Secret) error {
	factors, err := a.Store.Factors(ctx, user.ID)
	if err != nil || !factors.TOTP {
		return err
	}
	return a.useCode(ctx, user, code)
}

// renew gives a login a new token, since it can do more now than it could before: whoever knew the old one is out.
func (a *Accounts) renew(ctx context.Context, s WebSession, proof Proof) (Login, error) {
	token := newSecret()
	err := a.Store.RenewWebSession(ctx, s.TokenHash, token.hash(), proof, a.Now())
	if errors.Is(err, ErrNotFound) {
		return Login{}, ErrNoLogin
	}
	if err != nil {
		return Login{}, err
	}
	return Login{User: User{ID: s.User}, Token: token, ExpiresAt: s.ExpiresAt}, nil
}
