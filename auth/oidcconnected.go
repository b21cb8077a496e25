package auth

import "context"

// WayIn says how the caller can log in.
func (o *OIDC) WayIn(ctx context.Context, c Caller) (WayIn, error) {
	return o.Store.WayIn(ctx, c.User, o.Provider.Issuer)
}

// WaysIn says how everybody can log in. Administrators only.
func (o *OIDC) WaysIn(ctx context.Context, c Caller) (map[UserID]WayIn, error) {
	if !c.Scopes.Has(ScopeManage) || c.Role != RoleAdmin {
		return nil, ErrForbidden
	}
	list, err := o.Store.WaysIn(ctx, o.Provider.Issuer)
	ways := make(map[UserID]WayIn, len(list))
	for _, way := range list {
		ways[way.User] = way
	}
	return ways, err
}

// Disconnect takes the caller's identity from his account, if he can log in without it. Token is the cookie's.
func (o *OIDC) Disconnect(ctx context.Context, c Caller, token Secret) error {
	if !c.Scopes.Has(ScopeManage) {
		return &ScopeError{ScopeManage}
	}
	if o.Accounts.ProviderOnly {
		return ErrOnlyWayIn
	}
	if _, err := o.Accounts.recent(ctx, c, token); err != nil {
		return err
	}
	detail := map[string]string{"provider": o.host()}
	if err := o.Accounts.record(ctx, c, "account.disconnect", string(c.User), true, detail); err != nil {
		return err
	}
	return o.Store.DeleteIdentity(ctx, c.User, o.Provider.Issuer)
}
