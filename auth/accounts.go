package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"switchboard/auth/audit"
)

// Accounts are the people and their browser logins. Its exported fields are set once, before use.
type Accounts struct {
	Store     AccountStore
	Audit     audit.Recorder
	PublicURL string // without a trailing slash; links begin with it
	Now       func() time.Time
	Log       *slog.Logger

	Secrets      [][]byte     // seal second factors: the first one seals, all open
	SecondFactor SecondFactor // who must have one

	// ProviderOnly refuses every login by what is kept here, such as a password: all people come by a provider (OIDC).
	ProviderOnly bool

	// FirstAdmin is called when the first administrator's account has been made; it may be nil. It bears being called
	// for a later one.
	FirstAdmin func(ctx context.Context, first UserID) error

	passwords  passwords
	ceremonies Limiter // of challenges asked for, by network
}

// User is a person with an account.
type User struct {
	ID          UserID
	Name        string // what one logs in with: lower case
	DisplayName string // what others see
	Role        Role
	CreatedAt   time.Time
	SuspendedAt *time.Time
}

// Invite is a one-time link that makes an account.
type Invite struct {
	TokenHash []byte
	Role      Role
	InvitedBy UserID // empty for the first administrator's
	CreatedAt time.Time
	ExpiresAt time.Time
}

// WebSession is a browser that is logged in.
type WebSession struct {
	TokenHash  []byte
	User       UserID
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time // whatever happens
	Addr       string    // of the last visit
	Browser    string    // for people
	Proof      Proof
	ProvedAt   time.Time // when the person last proved who he is
}

// Proof is how a person proved who he is when he logged in.
type Proof string

// The proofs.
const (
	ProofPassword Proof = "password"      // alone
	ProofCode     Proof = "password+code" // with a second step
	ProofPasskey  Proof = "passkey"       // which is two factors by itself
	ProofSSO      Proof = "sso"           // at an identity provider, which decides about factors
)

// Login is a browser session that has just begun. Its token goes into the cookie and is known nowhere else.
type Login struct {
	User      User
	Token     Secret
	ExpiresAt time.Time
}

// How long things last.
const (
	setupLife      = 24 * time.Hour
	inviteLife     = 7 * 24 * time.Hour
	sessionIdle    = 7 * 24 * time.Hour
	sessionLife    = 30 * 24 * time.Hour
	touchInterval  = time.Minute // a session's or grant's last use is written at most this often
	throttleWindow = 15 * time.Minute

	providerSessionLife = 24 * time.Hour // of a browser that logged in by a provider
)

// How many logins may fail within throttleWindow before more are refused: for one account from anywhere, and
// from one network for any account.
const (
	failuresPerAccount = 10
	failuresPerAddr    = 50
)

// AccountStore keeps accounts. Its errors match ErrNotFound and ErrUnavailable where they apply.
type AccountStore interface {
	FactorStore
	PasskeyStore

	// InsertSetupInvite puts i in the place of every unused invite without an inviter. It reports false, and does
	// nothing, once there is an administrator.
	InsertSetupInvite(ctx context.Context, i Invite) (bool, error)
	InsertInvite(ctx context.Context, i Invite) error
	// OpenInvite finds one that is unused, has not expired at now, and whose inviter, if it has one, is an administrator
	// who is not suspended.
	OpenInvite(ctx context.Context, tokenHash []byte, now time.Time) (Invite, error)
	// AcceptInvite uses an invite up and makes the account, both or neither. ErrNotFound: OpenInvite would not find it;
	// ErrNameTaken: it stays usable.
	AcceptInvite(ctx context.Context, tokenHash []byte, u User, passwordHash string, now time.Time) error

	Users(ctx context.Context) ([]User, error)
	User(ctx context.Context, id UserID) (User, error)
	// Password finds who logs in by a name, and the hash of his password.
	Password(ctx context.Context, name string) (User, string, error)
	SetPassword(ctx context.Context, user UserID, hash string) error
	// SetSuspended also ends the person's browser sessions when it suspends. ErrLastAdmin: nobody would be left to
	// readmit anyone.
	SetSuspended(ctx context.Context, user UserID, at *time.Time) error

	InsertWebSession(ctx context.Context, s WebSession) error
	// WebSessions lists a person's, the one used last first, expired ones too.
	WebSessions(ctx context.Context, user UserID) ([]WebSession, error)
	// WebSession finds a session and its user, whether or not it has expired.
	WebSession(ctx context.Context, tokenHash []byte) (WebSession, User, error)
	TouchWebSession(ctx context.Context, tokenHash []byte, addr string, at time.Time) error
	DeleteWebSession(ctx context.Context, tokenHash []byte) error
	// DeleteWebSessions ends all of a person's but the one to keep, which may be nil, and his half logins.
	DeleteWebSessions(ctx context.Context, user UserID, keep []byte) error

	// BeginAttempt writes a login that is about to be tried, and says how many there were since a time, this one
	// included, that have not been forgotten. Written first and counted after, so that a limit holds for attempts
	// in parallel too. Network is the browser's.
	BeginAttempt(ctx context.Context, account, network string, at, since time.Time) (Attempts, error)
	ForgetAttempt(ctx context.Context, id int64) error
	// ForgetAttempts forgets an account's attempts from one network, because one of them succeeded.
	ForgetAttempts(ctx context.Context, account, network string) error

	// DeleteStaleLogins removes sessions, half logins, invites and attempts that can no longer matter.
	DeleteStaleLogins(ctx context.Context, now time.Time) error
}

// Attempts counts logins that failed or are under way.
type Attempts struct {
	ID        int64 // of the one just written
	OfAccount int
	OfAddr    int
}

// What a store may refuse about a form. Both match ErrInvalid.
var (
	ErrNameTaken = &FieldError{"name", "is taken"}
	ErrLastAdmin = &FieldError{"user", "is the last administrator"}
)

// Sweep deletes what has expired. The program calls it now and then.
func (a *Accounts) Sweep(ctx context.Context) error { return a.Store.DeleteStaleLogins(ctx, a.Now()) }

// InvitePath is the page that opens an invite: PublicURL + InvitePath + token.
const InvitePath = "/invite/"

func (a *Accounts) inviteLink(token Secret) string {
	return a.PublicURL + InvitePath + url.PathEscape(string(token))
}

// record writes an audit line about a person.
func (a *Accounts) record(ctx context.Context, c Caller, action, target string, allowed bool, detail map[string]string) error {
	err := a.Audit.Append(ctx, c.event(a.Now(), action, target, allowed, detail))
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// event is an audit record of what the caller does.
func (c Caller) event(at time.Time, action, target string, allowed bool, detail map[string]string) audit.Event {
	return audit.Event{
		At: at, User: string(c.User), UserName: c.UserName, ClientID: c.ClientID, Client: c.Client, Addr: c.Addr,
		Action: action, Target: target, Allowed: allowed, Detail: detail,
	}
}
