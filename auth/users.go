package auth

import (
	"context"
	"time"
)

// administer is the gate of what only administrators may do: it records the question and its answer.
func (a *Accounts) administer(ctx context.Context, c Caller, action, target string, detail map[string]string) error {
	allowed := c.Scopes.Has(ScopeManage) && c.Role == RoleAdmin
	if err := a.record(ctx, c, action, target, allowed, detail); err != nil {
		return err
	}
	if !c.Scopes.Has(ScopeManage) {
		return &ScopeError{ScopeManage}
	}
	if !allowed {
		return ErrForbidden
	}
	return nil
}

// Users lists everyone, by name. Whoever can share a host needs to know with whom.
func (a *Accounts) Users(ctx context.Context, c Caller) ([]User, error) {
	if !c.Scopes.Has(ScopeManage) {
		return nil, &ScopeError{ScopeManage}
	}
	return a.Store.Users(ctx)
}

// Suspend shuts a person out at once, with all his browsers and clients, or lets him in again; his grants are
// then as before. Administrators only, and not themselves; one is always left.
func (a *Accounts) Suspend(ctx context.Context, c Caller, user UserID, suspend bool) error {
	action := "account.suspend"
	if !suspend {
		action = "account.readmit"
	}
	if err := a.administer(ctx, c, action, string(user), nil); err != nil {
		return err
	}
	if user == c.User {
		return &FieldError{"user", "must be someone else: an administrator cannot suspend himself"}
	}
	var at *time.Time
	if suspend {
		now := a.Now()
		at = &now
	}
	return a.Store.SetSuspended(ctx, user, at)
}

// ChangePassword replaces the caller's password and logs his other browsers out. Token is the cookie's, which
// stays.
func (a *Accounts) ChangePassword(ctx context.Context, c Caller, token, current, next Secret) error {
	if !c.Scopes.Has(ScopeManage) {
		return &ScopeError{ScopeManage}
	}
	if err := checkPassword(next); err != nil {
		return err
	}
	attempt, err := a.attempt(ctx, c.UserName, c.Addr)
	if err != nil {
		return err
	}
	if _, err := a.authenticate(ctx, c.UserName, current); err != nil {
		return a.loginFailed(ctx, attempt, c.UserName, c.Addr, err)
	}
	hash, err := a.passwords.hash(ctx, next)
	if err != nil {
		return err
	}
	if err := a.record(ctx, c, "account.password", string(c.User), true, nil); err != nil {
		return err
	}
	// Only this one: a known password must not win tries at the code of a second step.
	if err := a.Store.ForgetAttempt(ctx, attempt.ID); err != nil {
		return err
	}
	if err := a.Store.SetPassword(ctx, c.User, hash); err != nil {
		return err
	}
	return a.Store.DeleteWebSessions(ctx, c.User, token.hash())
}
