package auth

import (
	"context"
	"fmt"
	"time"
)

// GrantFilter says which grants to list. The zero value is the caller's own.
type GrantFilter struct {
	Everyone bool   // not only the caller's; for administrators
	User     UserID // with Everyone: only this person's
	Client   string // only those of the client with this id
}

// MaxGrants is how many grants are listed at most.
const MaxGrants = 1000

// Grants lists what acts for the caller, or for everyone if an administrator asks: the newest MaxGrants of them.
func (o *OAuth) Grants(ctx context.Context, c Caller, f GrantFilter) ([]Grant, error) {
	if !c.Scopes.Has(ScopeManage) {
		return nil, &ScopeError{ScopeManage}
	}
	if !f.Everyone {
		f.User = c.User
	}
	if f.User != c.User && c.Role != RoleAdmin {
		return nil, ErrForbidden
	}
	return o.Store.Grants(ctx, f.User, f.Client, o.Now(), MaxGrants)
}

// RevokeGrant ends a grant of the caller's, or anyone's if he is an administrator. All its tokens are dead when
// it returns.
func (o *OAuth) RevokeGrant(ctx context.Context, c Caller, id GrantID) error {
	grant, err := o.Store.Grant(ctx, id)
	if err != nil {
		return err
	}
	if err := o.mayRevoke(ctx, c, grant.User, string(id), map[string]string{"client": grant.ClientID}); err != nil {
		return err
	}
	return o.Store.RevokeGrant(ctx, id, "revoked by "+c.UserName, o.Now())
}

// RevokeUser ends all grants of one person: the caller, or anyone if he is an administrator.
func (o *OAuth) RevokeUser(ctx context.Context, c Caller, user UserID) error {
	if err := o.mayRevoke(ctx, c, user, string(user), map[string]string{"all": "true"}); err != nil {
		return err
	}
	return o.Store.RevokeGrants(ctx, user, "revoked by "+c.UserName, o.Now())
}

// RevokeClient ends all grants of one client, whosever they are. Administrators only.
func (o *OAuth) RevokeClient(ctx context.Context, c Caller, client string) error {
	allowed := c.Scopes.Has(ScopeManage) && c.Role == RoleAdmin
	if err := o.record(ctx, c, "oauth.revoke", client, allowed, map[string]string{"all_of_client": client}); err != nil {
		return err
	}
	if !allowed {
		return ErrForbidden
	}
	return o.Store.RevokeClientGrants(ctx, client, "revoked by "+c.UserName, o.Now())
}

func (o *OAuth) mayRevoke(ctx context.Context, c Caller, owner UserID, target string, detail map[string]string) error {
	allowed := c.Scopes.Has(ScopeManage) && (c.User == owner || c.Role == RoleAdmin)
	if err := o.record(ctx, c, "oauth.revoke", target, allowed, detail); err != nil {
		return err
	}
	switch {
	case !c.Scopes.Has(ScopeManage):
		return &ScopeError{ScopeManage}
	case !allowed:
		return ErrNotFound // whether it exists is nobody else's business
	}
	return nil
}

// unusedClientLife is how long a client is kept that nobody has granted anything.
const unusedClientLife = 24 * time.Hour

// Sweep deletes what can no longer matter: expired tokens and clients that were never used. A client that was
// used is kept for ever, since its owner does not register again. The program calls it now and then.
func (o *OAuth) Sweep(ctx context.Context) error {
	now := o.Now()
	return o.Store.DeleteStaleGrants(ctx, now, now.Add(-unusedClientLife))
}

// record writes an audit line.
func (o *OAuth) record(ctx context.Context, c Caller, action, target string, allowed bool, detail map[string]string) error {
	if err := o.Audit.Append(ctx, c.event(o.Now(), action, target, allowed, detail)); err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}
