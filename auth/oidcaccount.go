package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// enter finds the person's account, or makes it at his first login, and brings it up to date with what the provider
// says: whether he may be here, his role, what he is called.
func (o *OIDC) enter(ctx context.Context, person claims, addr string) (User, error) {
	user, shutOut, err := o.Store.IdentityUser(ctx, o.Provider.Issuer, person.subject)
	known := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	if known && user.SuspendedAt != nil && !shutOut {
		return User{}, ErrSuspended // by an administrator, whatever the provider says
	}
	role, managed, refusal := o.Provider.admit(person)
	switch {
	case refusal != nil && known:
		return User{}, o.shutOut(ctx, user, addr, refusal)
	case refusal != nil:
		return User{}, refusal
	case !known:
		user, err = o.create(ctx, person, role, addr)
	default:
		user, err = o.refresh(ctx, user, shutOut, person, role, managed, addr)
	}
	if err != nil {
		return User{}, err
	}
	return user, o.record(ctx, user, "login", addr, map[string]string{"subject": printable(person.subject)})
}

// record writes an audit line of what the provider did to a person's account.
func (o *OIDC) record(ctx context.Context, user User, action, addr string, detail map[string]string) error {
	full := map[string]string{"provider": o.host()}
	maps.Copy(full, detail)
	return o.Accounts.record(ctx, user.caller(addr), action, string(user.ID), true, full)
}

// shutOut makes the next request of somebody whom the provider no longer admits the last one: of his browsers, of
// his clients. It returns the refusal.
func (o *OIDC) shutOut(ctx context.Context, user User, addr string, refusal error) error {
	var why *NotAdmittedError
	if errors.As(refusal, &why) && why.Unknown || user.SuspendedAt != nil {
		return refusal
	}
	if err := o.record(ctx, user, "account.suspend", addr, map[string]string{"why": refusal.Error()}); err != nil {
		return err
	}
	err := o.Store.ShutOut(ctx, user.ID, o.Accounts.Now())
	if errors.Is(err, ErrLastAdmin) {
		return errors.Join(refusal, o.keepAdmin(ctx, user, "account.suspend", addr))
	}
	if err != nil {
		return err
	}
	return refusal
}

// keepAdmin says aloud that the provider would have taken away the last administrator, which would leave nobody to
// mend it.
func (o *OIDC) keepAdmin(ctx context.Context, user User, action, addr string) error {
	o.Accounts.Log.WarnContext(ctx, "the login provider no longer wants the last administrator; he stays",
		"user", user.Name, "action", action)
	detail := map[string]string{"provider": o.host(), "why": "is the last administrator"}
	return o.Accounts.record(ctx, user.caller(addr), action, string(user.ID), false, detail)
}

func (o *OIDC) refresh(ctx context.Context, user User, shutOut bool, person claims, role Role, managed bool, addr string) (User, error) {
	if shutOut {
		if err := o.record(ctx, user, "account.readmit", addr, nil); err != nil {
			return User{}, err
		}
		if err := o.Store.Readmit(ctx, user.ID); err != nil {
			return User{}, err
		}
		user.SuspendedAt = nil
	}
	if managed && role != user.Role {
		var err error
		if user.Role, err = o.changeRole(ctx, user, role, addr); err != nil {
			return User{}, err
		}
	}
	user.DisplayName = person.displayName(user.DisplayName)
	return user, o.Store.TouchIdentity(ctx, o.identity(person, user.ID), user.DisplayName)
}

// changeRole returns the role that the person then has.
func (o *OIDC) changeRole(ctx context.Context, user User, role Role, addr string) (Role, error) {
	detail := map[string]string{"from": string(user.Role), "to": string(role)}
	if err := o.record(ctx, user, "account.role", addr, detail); err != nil {
		return "", err
	}
	err := o.Store.SetRole(ctx, user.ID, role)
	if errors.Is(err, ErrLastAdmin) {
		return user.Role, o.keepAdmin(ctx, user, "account.role", addr)
	}
	if err != nil {
		return "", err
	}
	user.Role = role
	return role, o.adopt(ctx, user)
}

// adopt gives an administrator what has waited for the first one, if it still does.
func (o *OIDC) adopt(ctx context.Context, user User) error {
	if user.Role != RoleAdmin || o.Accounts.FirstAdmin == nil {
		return nil
	}
	return o.Accounts.FirstAdmin(ctx, user.ID)
}

// create makes an account under a name that nobody has. An account that has the person's name or address already is
// somebody's who logs in otherwise, and stays his: he can connect the two on his account page.
func (o *OIDC) create(ctx context.Context, person claims, role Role, addr string) (User, error) {
	user := User{ID: UserID(rand.Text()), Role: role, CreatedAt: o.Accounts.Now()}
	base := person.accountName()
	for try := range 20 {
		user.Name = numbered(base, try)
		if _, _, err := o.Accounts.Store.Password(ctx, user.Name); err == nil {
			continue // taken
		}
		user.DisplayName = person.displayName(user.Name)
		detail := map[string]string{"role": string(role), "subject": printable(person.subject), "name": user.Name}
		if err := o.record(ctx, user, "account.create", addr, detail); err != nil {
			return User{}, err
		}
		err := o.Store.InsertIdentityUser(ctx, user, o.identity(person, user.ID))
		if errors.Is(err, ErrIdentityTaken) { // by another of his browsers, at this moment
			return User{}, ErrStaleLogin
		}
		if err == nil {
			return user, o.adopt(ctx, user)
		}
		if !errors.Is(err, ErrNameTaken) {
			return User{}, err
		}
	}
	return User{}, fmt.Errorf("account for %q: every name like it is taken", base)
}

// numbered is base, base-2, base-3 …, and at last one that nobody has.
func numbered(base string, try int) string {
	switch {
	case try == 0:
		return base
	case try < 10:
		return fmt.Sprintf("%s-%d", base, try+1)
	}
	return base + "-" + strings.ToLower(rand.Text()[:8])
}

func (o *OIDC) identity(person claims, user UserID) Identity {
	now := o.Accounts.Now()
	return Identity{
		Issuer: o.Provider.Issuer, Subject: person.subject, User: user, Name: person.shownName(),
		CreatedAt: now, LastLoginAt: now,
	}
}
