package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// maxCredential is more than any authenticator answers, in bytes.
const maxCredential = 64 << 10

// BeginPasskeyLogin asks a browser in which nobody is logged in for a passkey. It does not ask for whom: the passkey
// says it, so nobody learns which accounts there are.
func (a *Accounts) BeginPasskeyLogin(ctx context.Context, from Browser) (PasskeyRequest, error) {
	return a.askForPasskey(ctx, CeremonyLogin, "", from.Addr)
}

func (a *Accounts) askForPasskey(ctx context.Context, kind CeremonyKind, user UserID, addr string) (PasskeyRequest, error) {
	if why := a.PasskeysOff(); why != "" {
		return PasskeyRequest{}, &FieldError{"passkey", "cannot be used at this address"}
	}
	if wait := a.ceremonies.Take(Network(addr), ceremonyRate(), a.Now()); wait > 0 {
		return PasskeyRequest{}, &ThrottledError{RetryAfter: wait}
	}
	library, err := a.webauthn()
	if err != nil {
		return PasskeyRequest{}, err
	}
	options, session, err := library.BeginDiscoverableLogin()
	if err != nil {
		return PasskeyRequest{}, err
	}
	return a.beginCeremony(ctx, kind, user, options, session)
}

// LogInByPasskey lets in whoever the passkey is of. Token is the challenge's, answer the script's JSON.
func (a *Accounts) LogInByPasskey(ctx context.Context, token Secret, answer string, from Browser) (Login, error) {
	if a.ProviderOnly {
		return Login{}, ErrProviderOnly
	}
	user, err := a.checkPasskey(ctx, CeremonyLogin, "", token, answer, from.Addr)
	if err != nil {
		return Login{}, err
	}
	return a.enter(ctx, user, from, ProofPasskey)
}

// BeginPasskeyProof asks a person who is logged in to prove with a passkey who he is.
func (a *Accounts) BeginPasskeyProof(ctx context.Context, c Caller) (PasskeyRequest, error) {
	return a.askForPasskey(ctx, CeremonyProve, c.User, c.Addr)
}

// ProveByPasskey is Prove with a passkey of the caller's.
func (a *Accounts) ProveByPasskey(ctx context.Context, c Caller, token, ceremony Secret, answer string) (Login, error) {
	session, owner, err := a.session(ctx, token)
	if err != nil {
		return Login{}, err
	}
	if owner.ID != c.User {
		return Login{}, ErrNoLogin
	}
	user, err := a.checkPasskey(ctx, CeremonyProve, c.User, ceremony, answer, c.Addr)
	if err != nil {
		return Login{}, err
	}
	if user.ID != c.User {
		return Login{}, ErrWrongPasskey
	}
	if err := a.record(ctx, c, "login.prove", string(c.User), true, map[string]string{"by": string(ProofPasskey)}); err != nil {
		return Login{}, err
	}
	return a.renew(ctx, session, session.Proof.withPasskey())
}

// withPasskey is how a person has proved who he is if to this he adds a passkey.
func (p Proof) withPasskey() Proof {
	if p == ProofPassword {
		return ProofPasskey
	}
	return p
}

// checkPasskey finds whose passkey has answered, and whether it has answered what was asked. What is wrong counts as
// a failed login, of that passkey.
func (a *Accounts) checkPasskey(ctx context.Context, kind CeremonyKind, asked UserID, token Secret, answer, addr string) (User, error) {
	session, err := a.takeCeremony(ctx, kind, asked, token)
	if err != nil {
		return User{}, err
	}
	if len(answer) > maxCredential {
		return User{}, ErrWrongPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return User{}, ErrWrongPasskey
	}
	name := "passkey " + Passkey{ID: parsed.RawID}.Ref() // with a space, which no account's has
	attempt, err := a.attempt(ctx, name, addr)
	if err != nil {
		return User{}, err
	}
	user, err := a.verifyPasskey(ctx, session, parsed)
	if err != nil {
		if user.Name != "" {
			name = user.Name
		}
		return User{}, a.loginFailed(ctx, attempt, name, addr, err)
	}
	return user, a.Store.ForgetAttempts(ctx, name, Network(addr))
}

// verifyPasskey returns the user also with an error, if it knows him.
func (a *Accounts) verifyPasskey(ctx context.Context, session webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (User, error) {
	passkey, user, err := a.Store.Passkey(ctx, parsed.RawID)
	if errors.Is(err, ErrNotFound) {
		return User{}, ErrWrongPasskey
	}
	if err != nil {
		return User{}, err
	}
	library, err := a.webauthn()
	if err != nil {
		return user, err
	}
	owner := func([]byte, []byte) (webauthn.User, error) { return passkeyOwner{user, []Passkey{passkey}}, nil }
	_, used, err := library.ValidatePasskeyLogin(owner, session, parsed)
	if err != nil {
		return user, fmt.Errorf("%w: %w", ErrWrongPasskey, err)
	}
	if user.SuspendedAt != nil {
		return user, ErrSuspended
	}
	if used.Authenticator.CloneWarning {
		return user, errCloned
	}
	err = a.Store.UsePasskey(ctx, passkey.ID, used.Authenticator.SignCount, used.Flags.BackupState, a.Now())
	if errors.Is(err, ErrNotFound) {
		return user, errCloned
	}
	return user, err
}

// errCloned: the passkey counts its uses, and this one's number was used before. WebAuthn takes that for a sign that
// somebody has a copy of it (section 6.1.1).
var errCloned = fmt.Errorf("%w: its counter went back, so it may have been copied", ErrWrongPasskey)
