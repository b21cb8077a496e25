package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// BrowserLogin is one of a person's browser logins, as he sees it.
type BrowserLogin struct {
	ID string
	WebSession
	Here bool // the browser that asks
}

// loginID names a login to its person. It cannot be turned back into what the store keeps of the token.
func (s WebSession) loginID() string {
	sum := sha256.Sum256(s.TokenHash)
	return hex.EncodeToString(sum[:16])
}

// Logins lists the caller's browser logins that are alive, the one used last first. Token is the cookie's.
func (a *Accounts) Logins(ctx context.Context, c Caller, token Secret) ([]BrowserLogin, error) {
	if !c.Scopes.Has(ScopeManage) {
		return nil, &ScopeError{ScopeManage}
	}
	sessions, err := a.Store.WebSessions(ctx, c.User)
	if err != nil {
		return nil, err
	}
	var logins []BrowserLogin
	for _, s := range sessions {
		if a.Now().Before(a.end(s)) {
			logins = append(logins, BrowserLogin{s.loginID(), s, bytes.Equal(s.TokenHash, token.hash())})
		}
	}
	return logins, nil
}

// EndLogin logs one of the caller's browsers out.
func (a *Accounts) EndLogin(ctx context.Context, c Caller, id string) error {
	if !c.Scopes.Has(ScopeManage) {
		return &ScopeError{ScopeManage}
	}
	sessions, err := a.Store.WebSessions(ctx, c.User)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sessions, func(s WebSession) bool { return s.loginID() == id })
	if i < 0 {
		return ErrNotFound
	}
	detail := map[string]string{"browser": sessions[i].Browser, "from": sessions[i].Addr}
	if err := a.record(ctx, c, "login.end", id, true, detail); err != nil {
		return err
	}
	return a.Store.DeleteWebSession(ctx, sessions[i].TokenHash)
}

// EndOtherLogins logs all of the caller's browsers out but the one whose cookie has the token.
func (a *Accounts) EndOtherLogins(ctx context.Context, c Caller, token Secret) error {
	if !c.Scopes.Has(ScopeManage) {
		return &ScopeError{ScopeManage}
	}
	if err := a.record(ctx, c, "login.end_others", string(c.User), true, nil); err != nil {
		return err
	}
	return a.Store.DeleteWebSessions(ctx, c.User, token.hash())
}

// EndLoginsOf logs all of a person's browsers out. Administrators only.
func (a *Accounts) EndLoginsOf(ctx context.Context, c Caller, user UserID) error {
	if err := a.administer(ctx, c, "account.end_logins", string(user), nil); err != nil {
		return err
	}
	if _, err := a.Store.User(ctx, user); err != nil {
		return err
	}
	return a.Store.DeleteWebSessions(ctx, user, nil)
}
