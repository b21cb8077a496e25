package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// LogIn checks a name and password and begins a browser session with a new token. What is wrong is not told
// apart, neither in words nor in time. SecondStepError: the password is right, but not enough.
func (a *Accounts) LogIn(ctx context.Context, name string, password Secret, from Browser) (Login, error) {
	if a.ProviderOnly {
		return Login{}, ErrProviderOnly
	}
	account := strings.ToLower(strings.TrimSpace(name))
	if len(account) > maxLoginName {
		account = account[:maxLoginName]
	}
	account = strings.ToValidUTF8(strings.ReplaceAll(account, "\x00", ""), "")
	attempt, err := a.attempt(ctx, account, from.Addr)
	if err != nil {
		return Login{}, err
	}
	user, err := a.authenticate(ctx, account, password)
	if err != nil {
		return Login{}, a.loginFailed(ctx, attempt, account, from.Addr, err)
	}
	if err := a.secondStep(ctx, user, from.Addr); err != nil {
		// Not a failure; but those before it still count, or a known password would win tries at the code.
		return Login{}, errors.Join(err, a.Store.ForgetAttempt(ctx, attempt.ID))
	}
	return a.enter(ctx, user, from, ProofPassword)
}

const maxLoginName = 256 // bytes; longer ones cannot exist

// attempt counts this login before it is tried, and refuses it if there were too many.
func (a *Accounts) attempt(ctx context.Context, account, addr string) (Attempts, error) {
	now := a.Now()
	attempts, err := a.Store.BeginAttempt(ctx, account, Network(addr), now, now.Add(-throttleWindow))
	if err != nil {
		return Attempts{}, err
	}
	if attempts.OfAccount <= failuresPerAccount && attempts.OfAddr <= failuresPerAddr {
		return attempts, nil
	}
	// A refused attempt does not count, or whoever keeps trying would keep the person out for ever.
	if err := a.Store.ForgetAttempt(ctx, attempts.ID); err != nil {
		return Attempts{}, err
	}
	who := Caller{UserName: account, ClientID: webClient, Client: webClient, Addr: addr}
	if err := a.record(ctx, who, "login", account, false, map[string]string{"why": "throttled"}); err != nil {
		return Attempts{}, err
	}
	return Attempts{}, &ThrottledError{RetryAfter: throttleWindow}
}

// authenticate takes as long for an unknown name as for a wrong password.
func (a *Accounts) authenticate(ctx context.Context, account string, password Secret) (User, error) {
	user, hash, err := a.Store.Password(ctx, account)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	right, hashErr := a.passwords.verify(ctx, hash, password)
	if hashErr != nil {
		return User{}, hashErr
	}
	if err != nil || !right {
		return User{}, ErrWrongPassword
	}
	if user.SuspendedAt != nil {
		return User{}, ErrSuspended
	}
	return user, nil
}

func (a *Accounts) loginFailed(ctx context.Context, attempt Attempts, account, addr string, why error) error {
	if !slices.ContainsFunc(personFailures(), func(kind error) bool { return errors.Is(why, kind) }) {
		// Not the person's failure; it should not count against him.
		return errors.Join(why, a.Store.ForgetAttempt(ctx, attempt.ID))
	}
	who := Caller{UserName: account, ClientID: webClient, Client: webClient, Addr: addr}
	detail := map[string]string{"why": why.Error()}
	if err := a.record(ctx, who, "login", account, false, detail); err != nil {
		return err
	}
	return why
}

// personFailures are what a person, or whoever says he is that person, did wrong.
func personFailures() []error {
	return []error{ErrWrongPassword, ErrSuspended, ErrWrongCode, ErrWrongPasskey}
}

// begin makes the session and its token, always a new one, so that a token planted before login is worth nothing.
func (a *Accounts) begin(ctx context.Context, user User, from Browser, proof Proof, provedAt time.Time) (Login, error) {
	token, now := newSecret(), a.Now()
	session := WebSession{
		TokenHash: token.hash(), User: user.ID, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(proof.life()),
		Addr: from.Addr, Browser: from.Name, Proof: proof, ProvedAt: provedAt,
	}
	if err := a.Store.InsertWebSession(ctx, session); err != nil {
		return Login{}, err
	}
	return Login{User: user, Token: token, ExpiresAt: session.ExpiresAt}, nil
}

// life is how long a login lasts at most. Somebody who came by a provider must ask it again sooner, since nobody tells
// us when it no longer knows him.
func (p Proof) life() time.Duration {
	if p == ProofSSO {
		return providerSessionLife
	}
	return sessionLife
}

// LogOut ends the session on the server. It is no error if there is none.
func (a *Accounts) LogOut(ctx context.Context, token Secret, addr string) error {
	_, user, err := a.Store.WebSession(ctx, token.hash())
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := a.record(ctx, user.caller(addr), "logout", string(user.ID), true, nil); err != nil {
		return err
	}
	return a.Store.DeleteWebSession(ctx, token.hash())
}

// Caller finds who a browser's cookie stands for, and the CSRF token for the forms on its pages. ErrNoLogin:
// there is no such session, or it has ended.
func (a *Accounts) Caller(ctx context.Context, token Secret, addr string) (Caller, string, error) {
	ctx, done := context.WithTimeout(ctx, storeTimeout)
	defer done()
	session, user, err := a.session(ctx, token)
	if err != nil {
		return Caller{}, "", err
	}
	if a.lacksFactor(session, user) {
		return Caller{}, "", ErrNoSecondFactor
	}
	if err := a.touch(ctx, session, addr); err != nil {
		return Caller{}, "", err
	}
	c := user.caller(addr)
	c.ProvedAt = session.ProvedAt
	return c, csrfToken(token), nil
}

// session finds a login that is alive, and whose it is.
func (a *Accounts) session(ctx context.Context, token Secret) (WebSession, User, error) {
	if token == "" {
		return WebSession{}, User{}, ErrNoLogin
	}
	session, user, err := a.Store.WebSession(ctx, token.hash())
	if errors.Is(err, ErrNotFound) {
		return WebSession{}, User{}, ErrNoLogin
	}
	if err != nil {
		return WebSession{}, User{}, err
	}
	if user.SuspendedAt != nil || !a.Now().Before(a.end(session)) {
		return WebSession{}, User{}, ErrNoLogin
	}
	return session, user, nil
}

// touch writes now and then that a login is in use.
func (a *Accounts) touch(ctx context.Context, s WebSession, addr string) error {
	now := a.Now()
	if now.Sub(s.LastSeenAt) < touchInterval {
		return nil
	}
	return a.Store.TouchWebSession(ctx, s.TokenHash, addr, now)
}

// end is when the session expires if it is not used again.
func (s WebSession) end() time.Time {
	idle := s.LastSeenAt.Add(sessionIdle)
	if idle.Before(s.ExpiresAt) {
		return idle
	}
	return s.ExpiresAt
}

// end is when the session expires here. Where everybody comes by a provider, none lasts longer than a provider's, be it
// from before that was so or of an invitation.
func (a *Accounts) end(s WebSession) time.Time {
	if last := s.CreatedAt.Add(providerSessionLife); a.ProviderOnly && last.Before(s.end()) {
		return last
	}
	return s.end()
}

// webClient is the client id of the web pages.
const webClient = "web"

// caller is the person at the web pages, who may do all that he may do.
func (u User) caller(addr string) Caller {
	return Caller{
		User: u.ID, UserName: u.Name, Role: u.Role, ClientID: webClient, Client: webClient,
		Scopes: Scopes{ScopeSessionsRead, ScopeSessionsWrite, ScopePromptsAnswer, ScopeHostsRead, ScopeManage}, Addr: addr,
	}
}
