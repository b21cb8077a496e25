package auth

import (
	"context"
	"errors"
	"time"
)

// stepLife is how long a person has for the second step of a login.
const stepLife = 5 * time.Minute

// LoginStep is a login whose password was right and which waits for its second step. It is no login: its token is
// good for that step only.
type LoginStep struct {
	TokenHash []byte
	User      UserID
	CreatedAt time.Time
	ExpiresAt time.Time
}

// SecondStepError: the password was right, and a second step must follow. The token goes into a cookie of its own.
type SecondStepError struct {
	Token     Secret
	ExpiresAt time.Time
}

func (e *SecondStepError) Error() string { return "a second step must follow" }

// ErrNoStep: there is no login that waits for its second step, or it has waited too long.
var ErrNoStep = errors.New("this login has taken too long; begin again")

// secondStep returns a SecondStepError if this person's password alone does not let him in.
func (a *Accounts) secondStep(ctx context.Context, user User, addr string) error {
	factors, err := a.Store.Factors(ctx, user.ID)
	if err != nil {
		return err
	}
	if !factors.TOTP && !a.wantsPasskey(user, factors) {
		return nil
	}
	token, now := newSecret(), a.Now()
	step := LoginStep{TokenHash: token.hash(), User: user.ID, CreatedAt: now, ExpiresAt: now.Add(stepLife)}
	if err := a.record(ctx, user.caller(addr), "login.password", string(user.ID), true, nil); err != nil {
		return err
	}
	if err := a.Store.InsertLoginStep(ctx, step); err != nil {
		return err
	}
	return &SecondStepError{token, step.ExpiresAt}
}

// wantsPasskey reports whether a person's passkey is asked for beside his password, since he must have a second factor
// and it is the only one that he has.
func (a *Accounts) wantsPasskey(user User, f Factors) bool {
	return !f.TOTP && f.Passkeys > 0 && a.SecondFactor.covers(user.Role)
}

// StepFactors says with what the login that waits in a browser can be finished.
func (a *Accounts) StepFactors(ctx context.Context, token Secret) (Factors, error) {
	user, err := a.Store.LoginStep(ctx, token.hash(), a.Now())
	if errors.Is(err, ErrNotFound) {
		return Factors{}, ErrNoStep
	}
	if err != nil {
		return Factors{}, err
	}
	return a.Store.Factors(ctx, user.ID)
}

// FinishLogIn takes the second step with a code of the person's app or a recovery code. Wrong codes count as wrong
// passwords do.
func (a *Accounts) FinishLogIn(ctx context.Context, token, code Secret, from Browser) (Login, error) {
	if a.ProviderOnly {
		return Login{}, ErrProviderOnly
	}
	user, err := a.Store.LoginStep(ctx, token.hash(), a.Now())
	if errors.Is(err, ErrNotFound) {
		return Login{}, ErrNoStep
	}
	if err != nil {
		return Login{}, err
	}
	attempt, err := a.attempt(ctx, user.Name, from.Addr)
	if err != nil {
		return Login{}, err
	}
	if err := a.useStep(ctx, user, token, code); err != nil {
		return Login{}, a.loginFailed(ctx, attempt, user.Name, from.Addr, err)
	}
	return a.enter(ctx, user, from, ProofCode)
}

// useStep uses the code up, and then the step: of many that come with the same, one gets through.
func (a *Accounts) useStep(ctx context.Context, user User, token, code Secret) error {
	if user.SuspendedAt != nil {
		return ErrSuspended
	}
	if err := a.useCode(ctx, user, code); err != nil {
		return err
	}
	err := a.Store.TakeLoginStep(ctx, token.hash(), a.Now())
	if errors.Is(err, ErrNotFound) {
		return ErrNoStep
	}
	return err
}

// enter lets in a person who has proved who he is.
func (a *Accounts) enter(ctx context.Context, user User, from Browser, proof Proof) (Login, error) {
	detail := map[string]string{"by": string(proof)}
	if err := a.record(ctx, user.caller(from.Addr), "login", string(user.ID), true, detail); err != nil {
		return Login{}, err
	}
	if err := a.Store.ForgetAttempts(ctx, user.Name, Network(from.Addr)); err != nil {
		return Login{}, err
	}
	return a.begin(ctx, user, from, proof, a.Now())
}
