package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Passkey is the public half of a key that one of a person's devices holds (WebAuthn).
type Passkey struct {
	ID             []byte // the credential's
	User           UserID
	Name           string // what the person calls it
	PublicKey      []byte // COSE
	SignCount      uint32
	BackupEligible bool
	BackedUp       bool
	Transports     []string
	CreatedAt      time.Time
	LastUsedAt     *time.Time
}

// Ref names a passkey in forms.
func (p Passkey) Ref() string {
	sum := sha256.Sum256(p.ID)
	return hex.EncodeToString(sum[:16])
}

// PasskeyStore keeps passkeys and the challenges that browsers were given for them.
type PasskeyStore interface {
	// Passkeys lists a person's, the oldest first.
	Passkeys(ctx context.Context, user UserID) ([]Passkey, error)
	// Passkey finds one, and whose it is.
	Passkey(ctx context.Context, id []byte) (Passkey, User, error)
	// InsertPasskey keeps one. ErrPasskeyTaken: its id is known.
	InsertPasskey(ctx context.Context, p Passkey) error
	// UsePasskey writes a use. ErrNotFound: the counter has not grown, though this key counts.
	UsePasskey(ctx context.Context, id []byte, signCount uint32, backedUp bool, at time.Time) error
	DeletePasskey(ctx context.Context, user UserID, id []byte) error

	InsertCeremony(ctx context.Context, c Ceremony) error
	// TakeCeremony takes out what a browser was asked, if that was for this and for this person.
	TakeCeremony(ctx context.Context, tokenHash []byte, kind CeremonyKind, user UserID, now time.Time) ([]byte, error)
}

// ErrPasskeyTaken: the credential's id belongs to a passkey that is known, to whomever.
var ErrPasskeyTaken = &FieldError{"passkey", "is registered already"}

// ErrWrongPasskey: it is unknown here, or the answer does not fit the question. Which, is not told apart.
var ErrWrongPasskey = errors.New("that passkey does not let you in here")

// PasskeysOff says why there can be no passkeys here; empty if there can.
func (a *Accounts) PasskeysOff() string {
	public, err := url.Parse(a.PublicURL)
	if err != nil {
		return "Passkeys need an address with a name."
	}
	if _, err := netip.ParseAddr(public.Hostname()); err != nil {
		return ""
	}
	advice := "give this control plane a name (--public-url)."
	if strings.HasPrefix(a.PublicURL, "http://") {
		advice = "on this machine, start with --public-url http://localhost:" + public.Port() + " and use that address."
	}
	return "Passkeys belong to a name, and this address, " + public.Host + ", is a number: " + advice
}

// webauthn checks what browsers answer. Relying party is our host name; only pages of our own origin count. A passkey
// must find its account by itself and must have asked for a fingerprint, face or PIN: so it is two factors.
func (a *Accounts) webauthn() (*webauthn.WebAuthn, error) {
	discoverable := true
	library, err := webauthn.New(&webauthn.Config{
		RPID: strings.ToLower(a.host()), RPDisplayName: "Switchboard", RPOrigins: []string{a.PublicURL},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &discoverable,
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login: webauthn.TimeoutConfig{Timeout: ceremonyLife}, Registration: webauthn.TimeoutConfig{Timeout: ceremonyLife},
		},
		// Password managers answer what nobody asked; we read none of it.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return library, nil
}

// passkeyOwner is a person as the library wants to see him. His id is random, as WebAuthn demands of a user handle.
type passkeyOwner struct {
	User
	passkeys []Passkey
}

func (o passkeyOwner) WebAuthnID() []byte          { return []byte(o.ID) }
func (o passkeyOwner) WebAuthnName() string        { return o.Name }
func (o passkeyOwner) WebAuthnDisplayName() string { return o.DisplayName }

func (o passkeyOwner) WebAuthnCredentials() []webauthn.Credential {
	var credentials []webauthn.Credential
	for _, p := range o.passkeys {
		credentials = append(credentials, p.credential())
	}
	return credentials
}

func (p Passkey) credential() webauthn.Credential {
	c := webauthn.Credential{
		ID: p.ID, PublicKey: p.PublicKey,
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: p.BackupEligible, BackupState: p.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: p.SignCount},
	}
	for _, transport := range p.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(transport))
	}
	return c
}

// Passkeys lists the caller's.
func (a *Accounts) Passkeys(ctx context.Context, c Caller) ([]Passkey, error) {
	return a.Store.Passkeys(ctx, c.User)
}

// RemovePasskey forgets one of the caller's passkeys.
func (a *Accounts) RemovePasskey(ctx context.Context, c Caller, token Secret, ref string) error {
	if _, err := a.recent(ctx, c, token); err != nil {
		return err
	}
	passkeys, err := a.Store.Passkeys(ctx, c.User)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(passkeys, func(p Passkey) bool { return p.Ref() == ref })
	if i < 0 {
		return ErrNotFound
	}
	if err := a.record(ctx, c, "account.passkey_remove", ref, true, map[string]string{"name": passkeys[i].Name}); err != nil {
		return err
	}
	return a.Store.DeletePasskey(ctx, c.User, passkeys[i].ID)
}
