package auth

import (
	"context"
	"errors"
	"time"
)

// pendingTOTPLife is how long a person has to put a new secret into his app.
const pendingTOTPLife = time.Hour

// errHasTOTP keeps whoever holds only a password from replacing the app that guards it.
var errHasTOTP = &FieldError{"authenticator app", "is set up already; turn it off first"}

// SetUpTOTP shows the secret for the person's app, and makes it first if none is being set up. It counts for nothing
// until a code has been confirmed.
func (a *Accounts) SetUpTOTP(ctx context.Context, c Caller, token Secret) (TOTPSecret, error) {
	if _, err := a.recent(ctx, c, token); err != nil {
		return TOTPSecret{}, err
	}
	if err := a.hasPassword(ctx, c); err != nil {
		return TOTPSecret{}, err
	}
	secret, _, err := a.pendingTOTP(ctx, c.User)
	if errors.Is(err, ErrNotFound) {
		secret, err = a.startTOTP(ctx, c)
	}
	if err != nil {
		return TOTPSecret{}, err
	}
	return a.totpSecret(c.UserName, secret), nil
}

func (a *Accounts) startTOTP(ctx context.Context, c Caller) ([]byte, error) {
	secret := newTOTPSecret()
	sealed, err := a.sealTOTP(c.User, secret)
	if err != nil {
		return nil, err
	}
	if err := a.record(ctx, c, "account.totp_start", string(c.User), true, nil); err != nil {
		return nil, err
	}
	err = a.Store.SetPendingTOTP(ctx, c.User, sealed, a.Now())
	if errors.Is(err, ErrNotFound) {
		return nil, errHasTOTP
	}
	return secret, err
}

func (a *Accounts) pendingTOTP(ctx context.Context, user UserID) (secret, sealed []byte, err error) {
	stored, err := a.Store.TOTP(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	if stored.Pending == nil || stored.PendingAt == nil || a.Now().Sub(*stored.PendingAt) > pendingTOTPLife {
		return nil, nil, ErrNotFound
	}
	secret, err = a.openTOTP(user, stored.Pending)
	return secret, stored.Pending, err
}

// ConfirmTOTP turns the app on with a code from it, and logs the person's other browsers out, which have not shown
// one. The recovery codes are shown only now. ErrNotFound: no app is being set up.
func (a *Accounts) ConfirmTOTP(ctx context.Context, c Caller, token, typed Secret) ([]Secret, Login, error) {
	session, err := a.recent(ctx, c, token)
	if err != nil {
		return nil, Login{}, err
	}
	secret, sealed, err := a.pendingTOTP(ctx, c.User)
	if err != nil {
		return nil, Login{}, err
	}
	step, ok := totpStep(secret, plainCode(typed), a.Now())
	if !ok {
		return nil, Login{}, &FieldError{"code", "is wrong: look at the app again, and that your device's clock is right"}
	}
	if err := a.record(ctx, c, "account.totp_on", string(c.User), true, nil); err != nil {
		return nil, Login{}, err
	}
	codes, hashes := newRecoveryCodes()
	if err := a.Store.ConfirmTOTP(ctx, c.User, sealed, step, hashes, a.Now()); err != nil {
		return nil, Login{}, err
	}
	login, err := a.renew(ctx, session, ProofCode)
	if err != nil {
		return nil, Login{}, err
	}
	return codes, login, a.Store.DeleteWebSessions(ctx, c.User, login.Token.hash())
}

// DisableTOTP turns the app off and forgets the recovery codes. It needs the password and a code, however fresh the
// login is: it takes away what guards the password.
func (a *Accounts) DisableTOTP(ctx context.Context, c Caller, token, password, code Secret) (Login, error) {
	session, user, err := a.session(ctx, token)
	if err != nil {
		return Login{}, err
	}
	if user.ID != c.User {
		return Login{}, ErrNoLogin
	}
	if err := a.provePassword(ctx, user, password, code, c.Addr); err != nil {
		return Login{}, err
	}
	if err := a.record(ctx, c, "account.totp_off", string(c.User), true, nil); err != nil {
		return Login{}, err
	}
	if err := a.Store.DeleteTOTP(ctx, c.User); err != nil {
		return Login{}, err
	}
	if session.Proof == ProofCode {
		session.Proof = ProofPassword // for the code it was is worth nothing any more
	}
	return a.renew(ctx, session, session.Proof)
}
