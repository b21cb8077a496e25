package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"switchboard/auth/seal"
)

// Factors says what a person can prove himself with beside his password.
type Factors struct {
	TOTP          bool // an authenticator app
	RecoveryCodes int  // those that are left
	Passkeys      int
}

// TOTP is a person's authenticator app. Its secrets are sealed for him.
type TOTP struct {
	Sealed    []byte // nil until the first code has been confirmed
	Pending   []byte // nil unless one is being set up
	PendingAt *time.Time
}

// FactorStore keeps second factors. Each is used up by a conditional update: of many who use the same at the same
// time, one succeeds, and the others get ErrNotFound.
type FactorStore interface {
	Factors(ctx context.Context, user UserID) (Factors, error)
	// TOTP finds a person's, also while it is only being set up.
	TOTP(ctx context.Context, user UserID) (TOTP, error)
	// SetPendingTOTP puts a secret in the place of one that is being set up. ErrNotFound: there is a confirmed one.
	SetPendingTOTP(ctx context.Context, user UserID, sealed []byte, at time.Time) error
	// ConfirmTOTP makes the pending secret the person's, with a code of a step that counts as used, and gives him
	// recovery codes. ErrNotFound: another is pending.
	ConfirmTOTP(ctx context.Context, user UserID, pending []byte, step int64, codeHashes [][]byte, at time.Time) error
	// UseTOTP takes a step's code. ErrNotFound: this or a later one was taken.
	UseTOTP(ctx context.Context, user UserID, step int64) error
	// DeleteTOTP forgets the app and the recovery codes.
	DeleteTOTP(ctx context.Context, user UserID) error

	SetRecoveryCodes(ctx context.Context, user UserID, codeHashes [][]byte, at time.Time) error
	UseRecoveryCode(ctx context.Context, user UserID, codeHash []byte) error

	InsertLoginStep(ctx context.Context, s LoginStep) error
	// LoginStep finds whose half login it is, if it has not expired at now.
	LoginStep(ctx context.Context, tokenHash []byte, now time.Time) (User, error)
	// TakeLoginStep uses a half login up.
	TakeLoginStep(ctx context.Context, tokenHash []byte, now time.Time) error

	// RenewWebSession gives a login a new token and a new proof.
	RenewWebSession(ctx context.Context, tokenHash, newHash []byte, proof Proof, at time.Time) error
	// DeleteFactors forgets all of a person's second factors and ends his logins.
	DeleteFactors(ctx context.Context, user UserID) error
}

// Factors counts the caller's second factors.
func (a *Accounts) Factors(ctx context.Context, c Caller) (Factors, error) {
	return a.Store.Factors(ctx, c.User)
}

// errNoPassword keeps people whom a provider lets in from being let in by what it cannot take back.
var errNoPassword = &FieldError{"second factor", "goes with a password, and you have none here: your company's login decides"}

// hasPassword refuses those who log in only by a provider.
func (a *Accounts) hasPassword(ctx context.Context, c Caller) error {
	_, hash, err := a.Store.Password(ctx, c.UserName)
	if err == nil && hash == "" {
		return errNoPassword
	}
	return err
}

// ErrWrongCode: it is no code of the person's, or was used before. Which, is not told apart.
var ErrWrongCode = errors.New("code is wrong or was used before")

// useCode takes a code of the person's app, or one of his recovery codes.
func (a *Accounts) useCode(ctx context.Context, user User, typed Secret) error {
	code := plainCode(typed)
	var err error
	if isTOTPCode(code) {
		err = a.useTOTP(ctx, user.ID, code)
	} else {
		err = a.Store.UseRecoveryCode(ctx, user.ID, Secret(code).hash())
	}
	if errors.Is(err, ErrNotFound) {
		return ErrWrongCode
	}
	return err
}

func (a *Accounts) useTOTP(ctx context.Context, user UserID, code string) error {
	stored, err := a.Store.TOTP(ctx, user)
	if err != nil {
		return err
	}
	if stored.Sealed == nil {
		return ErrNotFound
	}
	secret, err := a.openTOTP(user, stored.Sealed)
	if err != nil {
		return err
	}
	step, ok := totpStep(secret, code, a.Now())
	if !ok {
		return ErrNotFound
	}
	return a.Store.UseTOTP(ctx, user, step)
}

// box seals second factors.
func (a *Accounts) box() (seal.Box, error) { return seal.New("second factors", a.Secrets...) }

func (a *Accounts) sealTOTP(user UserID, secret []byte) ([]byte, error) {
	box, err := a.box()
	if err != nil {
		return nil, err
	}
	return box.Seal(secret, []byte(user)), nil
}

func (a *Accounts) openTOTP(user UserID, sealed []byte) ([]byte, error) {
	box, err := a.box()
	if err != nil {
		return nil, err
	}
	secret, err := box.Open(sealed, []byte(user))
	if err != nil {
		return nil, fmt.Errorf("authenticator app of %s, sealed with a key that is no longer in oauth.key: %w", user, err)
	}
	return secret, nil
}

// ResetFactors forgets a person's passkeys, authenticator app and recovery codes, and logs him out everywhere: he
// has lost them, and logs in with his password. Administrators only, and not themselves.
func (a *Accounts) ResetFactors(ctx context.Context, c Caller, token Secret, user UserID) error {
	if _, err := a.recent(ctx, c, token); err != nil {
		return err
	}
	if err := a.administer(ctx, c, "account.reset_factors", string(user), nil); err != nil {
		return err
	}
	if user == c.User {
		return &FieldError{"user", "must be someone else: turn your own second factors off on your account's page"}
	}
	if _, err := a.Store.User(ctx, user); err != nil {
		return err
	}
	return a.Store.DeleteFactors(ctx, user)
}
