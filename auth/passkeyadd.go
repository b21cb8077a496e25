package auth

import (
	"context"
	"errors"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// The bounds of what one person may register.
const (
	maxPasskeys    = 20
	maxPasskeyName = 60 // characters
)

// BeginPasskey asks the caller's browser to make a passkey, unless the device has one for this account.
func (a *Accounts) BeginPasskey(ctx context.Context, c Caller, token Secret) (PasskeyRequest, error) {
	if _, err := a.recent(ctx, c, token); err != nil {
		return PasskeyRequest{}, err
	}
	if why := a.PasskeysOff(); why != "" {
		return PasskeyRequest{}, &FieldError{"passkey", "cannot be used at this address"}
	}
	if err := a.hasPassword(ctx, c); err != nil {
		return PasskeyRequest{}, err
	}
	owner, err := a.passkeyOwner(ctx, c)
	if err != nil {
		return PasskeyRequest{}, err
	}
	library, err := a.webauthn()
	if err != nil {
		return PasskeyRequest{}, err
	}
	known := webauthn.Credentials(owner.WebAuthnCredentials()).CredentialDescriptors()
	options, session, err := library.BeginRegistration(owner, webauthn.WithExclusions(known))
	if err != nil {
		return PasskeyRequest{}, err
	}
	return a.beginCeremony(ctx, CeremonyRegister, c.User, options, session)
}

func (a *Accounts) passkeyOwner(ctx context.Context, c Caller) (passkeyOwner, error) {
	user, err := a.Store.User(ctx, c.User)
	if err != nil {
		return passkeyOwner{}, err
	}
	passkeys, err := a.Store.Passkeys(ctx, c.User)
	if err != nil {
		return passkeyOwner{}, err
	}
	if len(passkeys) >= maxPasskeys {
		return passkeyOwner{}, &FieldError{"passkey", "cannot be added: there are 20; remove one first"}
	}
	return passkeyOwner{user, passkeys}, nil
}

// AddPasskey keeps the passkey that the caller's browser has made. Ceremony is the challenge's token, answer the
// script's JSON; a passkey without a name is called after its browser.
func (a *Accounts) AddPasskey(ctx context.Context, c Caller, token, ceremony Secret, name, answer string, from Browser) (Login, error) {
	session, err := a.recent(ctx, c, token)
	if err != nil {
		return Login{}, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = from.Name
	}
	if !plainText(name, maxPasskeyName) {
		return Login{}, &FieldError{"name", "must be at most 60 characters, without control characters"}
	}
	made, err := a.checkNewPasskey(ctx, c, ceremony, answer)
	if err != nil {
		return Login{}, err
	}
	made.Name = name
	if err := a.record(ctx, c, "account.passkey_add", made.Ref(), true, map[string]string{"name": name}); err != nil {
		return Login{}, err
	}
	if err := a.Store.InsertPasskey(ctx, made); err != nil {
		return Login{}, err
	}
	return a.renew(ctx, session, session.Proof.withPasskey())
}

// errBadPasskey is about what a browser made, and not about who is there.
var errBadPasskey = &FieldError{"passkey", "was not made as it was asked for; try again, or with another device"}

func (a *Accounts) checkNewPasskey(ctx context.Context, c Caller, ceremony Secret, answer string) (Passkey, error) {
	asked, err := a.takeCeremony(ctx, CeremonyRegister, c.User, ceremony)
	if errors.Is(err, ErrNoCeremony) {
		return Passkey{}, &FieldError{"passkey", "was not made in time; try again"}
	}
	if err != nil {
		return Passkey{}, err
	}
	if len(answer) > maxCredential {
		return Passkey{}, errBadPasskey
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return Passkey{}, errBadPasskey
	}
	owner, err := a.passkeyOwner(ctx, c)
	if err != nil {
		return Passkey{}, err
	}
	library, err := a.webauthn()
	if err != nil {
		return Passkey{}, err
	}
	made, err := library.CreateCredential(owner, asked, parsed)
	if err != nil {
		a.Log.InfoContext(ctx, "passkey refused", "user", c.User, "err", err)
		return Passkey{}, errBadPasskey
	}
	p := Passkey{
		ID: made.ID, User: c.User, PublicKey: made.PublicKey, SignCount: made.Authenticator.SignCount,
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState, Transports: []string{}, CreatedAt: a.Now(),
	}
	for _, transport := range made.Transport {
		p.Transports = append(p.Transports, string(transport))
	}
	return p, nil
}
