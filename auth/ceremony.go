package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

// Ceremony is a challenge that a browser has been given, for one answer. It is found by a token that only that
// browser's cookie has.
type Ceremony struct {
	TokenHash []byte
	Kind      CeremonyKind
	User      UserID // empty before a login
	Data      []byte // JSON: what the answer is compared with
	ExpiresAt time.Time
}

// CeremonyKind is what a challenge is for; an answer counts for nothing else.
type CeremonyKind string

// The kinds.
const (
	CeremonyLogin    CeremonyKind = "login"
	CeremonyRegister CeremonyKind = "register"
	CeremonyProve    CeremonyKind = "prove"
)

// ceremonyLife is how long a person has to find his passkey.
const ceremonyLife = 5 * time.Minute

// ceremonyRate is how often one network may ask for a challenge, of which each is a row until it expires.
func ceremonyRate() Rate { return Rate{PerSecond: 0.5, Burst: 60} }

// PasskeyRequest is what a page's script asks the browser.
type PasskeyRequest struct {
	Options   []byte // JSON
	Token     Secret // for the cookie
	ExpiresAt time.Time
}

// ErrNoCeremony: this browser was asked nothing, or too long ago, or has answered already.
var ErrNoCeremony = errors.New("that took too long; try again")

// beginCeremony keeps what the library wants to compare the answer with.
func (a *Accounts) beginCeremony(ctx context.Context, kind CeremonyKind, user UserID, options any, session *webauthn.SessionData) (PasskeyRequest, error) {
	data, err := json.Marshal(session)
	if err != nil {
		return PasskeyRequest{}, fmt.Errorf("passkey challenge: %w", err)
	}
	asked, err := json.Marshal(options)
	if err != nil {
		return PasskeyRequest{}, fmt.Errorf("passkey options: %w", err)
	}
	token := newSecret()
	c := Ceremony{TokenHash: token.hash(), Kind: kind, User: user, Data: data, ExpiresAt: a.Now().Add(ceremonyLife)}
	if err := a.Store.InsertCeremony(ctx, c); err != nil {
		return PasskeyRequest{}, err
	}
	return PasskeyRequest{asked, token, c.ExpiresAt}, nil
}

// takeCeremony uses the challenge up, whatever the answer is.
func (a *Accounts) takeCeremony(ctx context.Context, kind CeremonyKind, user UserID, token Secret) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	data, err := a.Store.TakeCeremony(ctx, token.hash(), kind, user, a.Now())
	if errors.Is(err, ErrNotFound) {
		return session, ErrNoCeremony
	}
	if err != nil {
		return session, err
	}
	if err := json.Unmarshal(data, &session); err != nil {
		return session, fmt.Errorf("passkey challenge: %w", err)
	}
	return session, nil
}

// CeremonyCookie binds a challenge to the browser that asked for it.
func (a *Accounts) CeremonyCookie(r PasskeyRequest) *http.Cookie {
	return a.shortCookie("-passkey", r.Token, r.ExpiresAt)
}

// CeremonyToken is the challenge's token in a browser's request; empty if it has none.
func (a *Accounts) CeremonyToken(r *http.Request) Secret { return a.shortToken(r, "-passkey") }
