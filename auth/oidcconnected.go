package auth

import (
	"context"
	"errors"
)

// Connected finds the caller's identity at the provider; nil if none is connected.
func (o *OIDC) Connected(ctx context.Context, c Caller) (*Identity, error) {
	identity, err := o.Store.IdentityOf(ctx, c.User, o.Provider.Issuer)
	if errors.Is(err, ErrNotFound) {
		return nil, nil //nolint:nilnil // that there is none is no error
	}
	return &identity, err
}

// Disconnect takes the caller's identity from his account, if he can log in without it.
func (o *OIDC) Disconnect(ctx context.Context, c Caller) error {
	if !c.Scopes.Has(ScopeManage) {
		return &ScopeError{ScopeManage}
	}
	if o.Accounts.ProviderOnly {
		return ErrOnlyWayIn
	}
	detail := map[string]string{"provider": o.host()}
	if err := o.Accounts.record(ctx, c, "account.disconnect", string(c.User), true, detail); err != nil {
		return err
	}
	return o.Store.DeleteIdentity(ctx, c.User, o.Provider.Issuer)
}

// WaysIn lists how everybody can log in. Administrators only.
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
