package auth

import (
	"context"
	"time"
)

// Identity is a person as a provider of identities knows him. Issuer and subject together say who he is; nothing
// else does, and least of all an e-mail address, which can pass to somebody else.
type Identity struct {
	Issuer      string
	Subject     string
	User        UserID
	Name        string // what the provider calls him; for people
	CreatedAt   time.Time
	LastLoginAt time.Time
}

// ProviderLogin is a login that a browser has gone to the provider for. What must be kept from whoever reads the
// store, the PKCE verifier and the nonce, is not in it: they follow from the browser's cookie.
type ProviderLogin struct {
	StateHash   []byte
	BrowserHash []byte // of the cookie's value
	Issuer      string
	ReturnTo    string
	Connect     UserID // whose account the identity is to be connected to; empty: a login
	Again       bool   // the person is to prove again who he is
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// WayIn is how a person can log in.
type WayIn struct {
	User      UserID
	Password  bool
	Identity  string // what the provider calls him; empty: none is connected
	ShutOut   bool   // suspended because the provider no longer vouches for him
	LastLogin *time.Time
}

// IdentityStore keeps what OIDC needs. Its errors match ErrNotFound and ErrUnavailable where they apply.
type IdentityStore interface {
	InsertProviderLogin(ctx context.Context, l ProviderLogin) error
	// TakeProviderLogin finds the login that this browser began, if it has not expired, and forgets it: each can be
	// taken once.
	TakeProviderLogin(ctx context.Context, stateHash, browserHash []byte, now time.Time) (ProviderLogin, error)

	// IdentityUser finds who an identity is here, and whether he is suspended because of the provider.
	IdentityUser(ctx context.Context, issuer, subject string) (u User, shutOut bool, err error)
	// InsertIdentityUser makes an account without a password together with its identity, both or neither.
	// ErrNameTaken; ErrIdentityTaken.
	InsertIdentityUser(ctx context.Context, u User, i Identity) error
	// InsertIdentity connects an identity to an account. ErrIdentityTaken: it is somebody's, or the account has one
	// at this provider.
	InsertIdentity(ctx context.Context, i Identity) error
	// DeleteIdentity disconnects it, unless the person has no password to log in with. ErrOnlyWayIn.
	DeleteIdentity(ctx context.Context, user UserID, issuer string) error
	// TouchIdentity writes what the provider now calls a person, and that he logged in.
	TouchIdentity(ctx context.Context, i Identity, displayName string) error
	// SetRole gives a person a role. ErrLastAdmin: nobody would be left to manage people.
	SetRole(ctx context.Context, user UserID, role Role) error
	// ShutOut suspends a person because of the provider, and ends his browser sessions. ErrLastAdmin. Somebody who is
	// suspended already stays as he is.
	ShutOut(ctx context.Context, user UserID, at time.Time) error
	// Readmit undoes ShutOut, and nothing that an administrator did.
	Readmit(ctx context.Context, user UserID) error
	// WayIn says how a person can log in, with his identity at one provider.
	WayIn(ctx context.Context, user UserID, issuer string) (WayIn, error)
	// WaysIn says so of everybody.
	WaysIn(ctx context.Context, issuer string) ([]WayIn, error)
}

// What an identity store may refuse. Both match ErrInvalid.
var (
	ErrIdentityTaken = &FieldError{"login", "is already connected to an account"}
	ErrOnlyWayIn     = &FieldError{"login", "is the only one that you have; it cannot be disconnected"}
)
