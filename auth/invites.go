package auth

import (
	"context"
	"crypto/rand"
	"fmt"
)

// SetupLink makes the one-time link with which the first administrator makes his account; the link before it no
// longer works. Once there is an administrator none is needed.
func (a *Accounts) SetupLink(ctx context.Context) (link string, needed bool, err error) {
	token := newSecret()
	needed, err = a.Store.InsertSetupInvite(ctx, a.invite(token, RoleAdmin, ""))
	if err != nil || !needed {
		return "", false, err
	}
	return a.inviteLink(token), true, nil
}

// OperatorInvite makes a one-time link for one more administrator, for whoever has the machine and the database in his
// hands. It is nobody's whom we know, which the audit log says.
func (a *Accounts) OperatorInvite(ctx context.Context) (link string, err error) {
	const operator = "operator"
	who := Caller{UserName: operator, ClientID: operator, Client: operator}
	if err := a.record(ctx, who, "account.invite", "", true, map[string]string{"role": string(RoleAdmin)}); err != nil {
		return "", err
	}
	token := newSecret()
	if err := a.Store.InsertInvite(ctx, a.invite(token, RoleAdmin, "")); err != nil {
		return "", err
	}
	return a.inviteLink(token), nil
}

// Invite makes a one-time link for one more person. Administrators only.
func (a *Accounts) Invite(ctx context.Context, c Caller, role Role) (link string, err error) {
	if role != RoleAdmin && role != RoleMember {
		return "", &FieldError{"role", "must be admin or member"}
	}
	if c.Scopes.Has(ScopeManage) && c.Role == RoleAdmin && !a.isRecent(c.ProvedAt) {
		return "", ErrProveAgain // whom the gate refuses, it tells
	}
	if err := a.administer(ctx, c, "account.invite", "", map[string]string{"role": string(role)}); err != nil {
		return "", err
	}
	token := newSecret()
	invite := a.invite(token, role, c.User)
	if err := a.Store.InsertInvite(ctx, invite); err != nil {
		return "", err
	}
	return a.inviteLink(token), nil
}

func (a *Accounts) invite(token Secret, role Role, by UserID) Invite {
	life := inviteLife
	if by == "" {
		life = setupLife
	}
	now := a.Now()
	return Invite{TokenHash: token.hash(), Role: role, InvitedBy: by, CreatedAt: now, ExpiresAt: now.Add(life)}
}

// OpenInvite says what kind of account a link makes. ErrNotFound: it is unknown, used or has expired, or whoever made
// it may not invite any more.
func (a *Accounts) OpenInvite(ctx context.Context, token Secret) (Role, error) {
	invite, err := a.Store.OpenInvite(ctx, token.hash(), a.Now())
	return invite.Role, err
}

// NewAccount is what a person who follows an invite fills in.
type NewAccount struct {
	Name        string
	DisplayName string // empty: the name
	Password    Secret
}

// Accept makes the account and logs its browser in.
func (a *Accounts) Accept(ctx context.Context, token Secret, n NewAccount, from Browser) (Login, error) {
	invite, err := a.Store.OpenInvite(ctx, token.hash(), a.Now())
	if err != nil {
		return Login{}, err
	}
	user, err := a.newUser(n, invite.Role)
	if err != nil {
		return Login{}, err
	}
	hash, err := a.passwords.hash(ctx, n.Password)
	if err != nil {
		return Login{}, err
	}
	detail := map[string]string{"role": string(user.Role), "invited_by": string(invite.InvitedBy)}
	if err := a.record(ctx, user.caller(from.Addr), "account.accept", string(user.ID), true, detail); err != nil {
		return Login{}, err
	}
	if err := a.Store.AcceptInvite(ctx, token.hash(), user, hash, a.Now()); err != nil {
		return Login{}, err
	}
	if invite.InvitedBy == "" && a.FirstAdmin != nil {
		if err := a.FirstAdmin(ctx, user.ID); err != nil {
			return Login{}, fmt.Errorf("set up the first administrator: %w", err)
		}
	}
	return a.begin(ctx, user, from, ProofPassword, a.Now())
}

func (a *Accounts) newUser(n NewAccount, role Role) (User, error) {
	name, err := parseName(n.Name)
	if err != nil {
		return User{}, err
	}
	display, err := parseDisplayName(n.DisplayName, name)
	if err != nil {
		return User{}, err
	}
	if err := checkPassword(n.Password); err != nil {
		return User{}, err
	}
	return User{ID: UserID(rand.Text()), Name: name, DisplayName: display, Role: role, CreatedAt: a.Now()}, nil
}
