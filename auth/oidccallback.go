package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Arrival is a browser that has come back from the provider.
type Arrival struct {
	Login     Login // zero if an identity was connected to an account that was logged in already
	ReturnTo  string
	Connected bool
}

// Finish takes a browser's way back from the provider: at OIDCCallbackPath, with a code or an error. Whatever it
// returns, the login cannot be finished again.
func (o *OIDC) Finish(ctx context.Context, r *http.Request) (Arrival, error) {
	addr := RemoteAddr(r)
	attempt, err := o.attempt(ctx, addr)
	if err != nil {
		return Arrival{}, err
	}
	who, arrival, err := o.finish(ctx, r, addr)
	if err == nil || !blamesBrowser(err) {
		return arrival, errors.Join(err, o.Accounts.Store.ForgetAttempt(ctx, attempt.ID))
	}
	detail := map[string]string{"provider": o.host(), "why": brief(err)}
	caller := Caller{UserName: who, ClientID: webClient, Client: webClient, Addr: addr}
	if recordErr := o.Accounts.record(ctx, caller, "login", who, false, detail); recordErr != nil {
		return Arrival{}, recordErr
	}
	return Arrival{}, err
}

// oidcAccount is what attempts at the callback count as: no account's name has a colon.
const oidcAccount = "oidc:"

// attempt counts this answer before it is looked at, and refuses it if too many from its address came to nothing.
func (o *OIDC) attempt(ctx context.Context, addr string) (Attempts, error) {
	a := o.Accounts
	now := a.Now()
	attempts, err := a.Store.BeginAttempt(ctx, oidcAccount, Network(addr), now, now.Add(-throttleWindow))
	if err != nil || attempts.OfAddr <= failuresPerAddr {
		return attempts, err
	}
	if err := a.Store.ForgetAttempt(ctx, attempts.ID); err != nil {
		return Attempts{}, err
	}
	who := Caller{ClientID: webClient, Client: webClient, Addr: addr}
	if err := a.record(ctx, who, "login", "", false, map[string]string{"provider": o.host(), "why": "throttled"}); err != nil {
		return Attempts{}, err
	}
	return Attempts{}, &ThrottledError{RetryAfter: throttleWindow}
}

// blamesBrowser reports whether an error counts against whoever came, and not against the provider or the store.
func blamesBrowser(err error) bool {
	for _, kind := range []error{ErrStaleLogin, ErrNotVerified, ErrNotAdmitted, ErrSuspended, ErrInvalid} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// finish also returns what the provider calls the person, as far as that is known.
func (o *OIDC) finish(ctx context.Context, r *http.Request, addr string) (who string, a Arrival, err error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || isRepeated(query, "state", "code", "iss", "error") || len(query.Get("state")) > maxState {
		return "", Arrival{}, ErrStaleLogin
	}
	login, keys, err := o.take(ctx, r, Secret(query.Get("state")))
	if err != nil {
		return "", Arrival{}, err
	}
	p, err := o.provider(ctx)
	if err != nil {
		return "", Arrival{}, err
	}
	if err := o.checkAnswer(p, login, query); err != nil {
		return "", Arrival{}, err
	}
	person, err := o.redeem(ctx, p, login, query.Get("code"), keys)
	if err != nil {
		return "", Arrival{}, err
	}
	if login.Connect != "" {
		err := o.connect(ctx, r, login, person)
		return person.shownName(), Arrival{ReturnTo: login.ReturnTo, Connected: true}, err
	}
	user, err := o.enter(ctx, person, addr)
	if err != nil {
		return person.shownName(), Arrival{}, err
	}
	begun, err := o.Accounts.begin(ctx, user, RequestBrowser(r), ProofSSO, person.provedAt(login, o.Accounts.Now()))
	return user.Name, Arrival{Login: begun, ReturnTo: login.ReturnTo}, err
}

// loginKeys are what binds an answer of the provider's to one login of one browser.
type loginKeys struct{ verifier, nonce Secret }

// take finds the login that this very browser has begun under this state, and forgets it.
func (o *OIDC) take(ctx context.Context, r *http.Request, state Secret) (ProviderLogin, loginKeys, error) {
	c, err := r.Cookie(o.cookieName(state))
	if err != nil || state == "" {
		return ProviderLogin{}, loginKeys{}, ErrStaleLogin
	}
	browser := Secret(c.Value)
	login, err := o.Store.TakeProviderLogin(ctx, state.hash(), browser.hash(), o.Accounts.Now())
	if errors.Is(err, ErrNotFound) || err == nil && login.Issuer != o.Provider.Issuer {
		return ProviderLogin{}, loginKeys{}, ErrStaleLogin
	}
	keys := loginKeys{verifier: browser.derive("verifier", state), nonce: browser.derive("nonce", state)}
	return login, keys, err
}

// checkAnswer finds out whether the answer is the provider's, and whether it is a code.
func (o *OIDC) checkAnswer(p *provider, login ProviderLogin, query url.Values) error {
	issuer := query.Get("iss")
	if issuer != "" && issuer != login.Issuer || issuer == "" && p.sendsIss {
		return fmt.Errorf("%w: answer by %q (RFC 9207)", ErrNotVerified, cut(printable(issuer)))
	}
	switch code := query.Get("error"); {
	case code == "access_denied":
		return &NotAdmittedError{Unknown: true, Words: o.Provider.Name + " did not let you in."}
	case code != "":
		said := printable(code) + ": " + printable(query.Get("error_description"))
		return fmt.Errorf("%w: the provider answered %s", ErrNotVerified, cut(said))
	case query.Get("code") == "":
		return fmt.Errorf("%w: there is no code", ErrNotVerified)
	}
	return nil
}

// connect gives the account that asked for it the identity with which the browser has come back.
func (o *OIDC) connect(ctx context.Context, r *http.Request, login ProviderLogin, person claims) error {
	caller, _, err := o.Accounts.RequestCaller(r)
	if errors.Is(err, ErrNoLogin) || err == nil && caller.User != login.Connect {
		return ErrStaleLogin // logged out, or in as somebody else, meanwhile
	}
	if err != nil {
		return err
	}
	if _, _, err := o.Provider.admit(person); err != nil {
		return err
	}
	detail := map[string]string{"provider": o.host(), "subject": printable(person.subject), "name": person.shownName()}
	if err := o.Accounts.record(ctx, caller, "account.connect", string(caller.User), true, detail); err != nil {
		return err
	}
	return o.Store.InsertIdentity(ctx, o.identity(person, caller.User))
}

// sameSecret compares in constant time.
func sameSecret(got string, want Secret) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
