package fleet

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"switchboard/auth"
	"switchboard/auth/outbound"
	"switchboard/controlplane/notify"
	"switchboard/hostagent/protocol"
)

// Subscription is a client's wish to be told of one kind of notice at a webhook of its own (MCP Events). It acts in
// the name of the person whose grant it came by, and ends with that grant or its last good token.
type Subscription struct {
	ID        string // follows from person, client, kind, what it is narrowed to, and URL
	User      auth.UserID
	ClientID  string
	Grant     auth.GrantID
	Kind      NoticeKind
	Session   protocol.SessionID // empty: all that the person may see
	Host      protocol.HostID    // empty: all
	URL       string
	Secret    []byte // sealed, as is OldSecret
	OldSecret []byte // nil: there is none that still signs
	CreatedAt time.Time
	ExpiresAt time.Time

	Active      bool // false: it failed for too long, and waits to be renewed
	Failures    int  // in a row
	FailedSince *time.Time
	LastError   string
	LastSentAt  *time.Time
}

// SubscriptionStore keeps subscriptions.
type SubscriptionStore interface {
	// Subscription finds one, with the secret that still signs beside it. ErrNotFound also when it is over.
	Subscription(ctx context.Context, id string, now time.Time) (Subscription, error)
	// CountSubscriptions counts a person's.
	CountSubscriptions(ctx context.Context, user auth.UserID, now time.Time) (int, error)
	// VerifiedCallback reports whether a client of a person's has a subscription to this address already.
	VerifiedCallback(ctx context.Context, user auth.UserID, client, url string, now time.Time) (bool, error)
	// Subscribe keeps a subscription, or renews the one that has its id and makes it active. If the secret is another,
	// the one before it signs too until oldUntil; sameSecret says that it is not.
	Subscribe(ctx context.Context, s Subscription, sameSecret bool, oldUntil time.Time) error
	// Unsubscribe removes a subscription. ErrNotFound: there is none.
	Unsubscribe(ctx context.Context, id string) error
}

// Subscribe is what a client asks for.
type Subscribe struct {
	Kind    NoticeKind
	Session string // ref; empty: all that the caller may see
	Host    string // ref; empty: all
	URL     string
	Secret  auth.Secret
	TTL     time.Duration // 0: the server says; negative: no end is wanted
}

// How long a subscription may last. A client renews it before its end.
const (
	minTTL     = 5 * time.Minute
	defaultTTL = 7 * 24 * time.Hour
	maxTTL     = 30 * 24 * time.Hour
)

const (
	maxSubscriptions = 100 // of one person
	maxCallback      = 2048
	oldSecretLife    = time.Hour
	// Endpoints are asked whether they want what is sent to them; nobody may have a stranger asked often.
	verificationsPerSecond = 0.2
	verificationsAtOnce    = 10
)

// ErrTooMany says that a limit is reached.
var ErrTooMany = errors.New("too many")

// CallbackError says that a webhook does not want what is sent to it.
type CallbackError = notify.CallbackError

// Subscribe begins or renews a subscription. Its error may be a *CallbackError.
func (f *Fleet) Subscribe(ctx context.Context, c auth.Caller, w Subscribe) (Subscription, error) {
	s, err := f.subscription(ctx, c, "subscription.begin", w)
	if err != nil {
		return Subscription{}, err
	}
	if err := notify.CheckSecret(w.Secret); err != nil {
		return Subscription{}, refuse(ErrInvalid, "delivery.secret: %v", err)
	}
	before, err := f.Store.Subscription(ctx, s.ID, f.Now())
	known := err == nil
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return Subscription{}, err
	}
	if !known {
		if err := f.admitCallback(ctx, c, s, w.Secret); err != nil {
			return Subscription{}, err
		}
	}
	same := known && f.opens(before, w.Secret)
	s.Secret = f.Seal.Seal([]byte(w.Secret), []byte(s.ID))
	s.CreatedAt = f.Now()
	s.ExpiresAt = s.CreatedAt.Add(grantTTL(w.TTL))
	if err := f.Store.Subscribe(ctx, s, same, s.CreatedAt.Add(oldSecretLife)); err != nil {
		return Subscription{}, err
	}
	if known {
		s.Failures, s.FailedSince, s.LastError, s.LastSentAt = before.Failures, before.FailedSince, before.LastError, before.LastSentAt
		s.Active = before.Active
	}
	return s, nil
}

// Unsubscribe ends a subscription, which is named as it was begun.
func (f *Fleet) Unsubscribe(ctx context.Context, c auth.Caller, w Subscribe) error {
	s, err := f.subscription(ctx, c, "subscription.end", w)
	if err != nil {
		return err
	}
	if err := f.Store.Unsubscribe(ctx, s.ID); err != nil {
		return unlessFound(err, refuse(auth.ErrNotFound, "there is no such subscription"))
	}
	return nil
}

// subscription is the gate to subscriptions, and reads what is asked for.
func (f *Fleet) subscription(ctx context.Context, c auth.Caller, action string, w Subscribe) (Subscription, error) {
	s := Subscription{User: c.User, ClientID: c.ClientID, Grant: c.Grant, Kind: w.Kind, URL: w.URL, Active: true}
	if !slices.Contains(noticeKinds(), w.Kind) {
		return s, refuse(auth.ErrNotFound, "there is no event %.80q", w.Kind)
	}
	callback, err := checkCallback(w.URL)
	if err != nil {
		return s, err
	}
	d := deed{
		action: action, scope: auth.ScopeSessionsRead, need: AccessViewer, target: string(w.Kind),
		detail: map[string]string{"callback_host": callback.Host},
	}
	if c.Grant == "" {
		return s, refuse(auth.ErrForbidden, "only an OAuth client can subscribe")
	}
	switch {
	case w.Session != "":
		session, err := f.session(ctx, c, d, w.Session)
		if err != nil {
			return s, err
		}
		s.Session = session.ID
	case w.Host != "":
		host, err := f.host(ctx, c, d, w.Host)
		if err != nil {
			return s, err
		}
		s.Host = host.ID
	default:
		if err := f.anywhere(ctx, c, d); err != nil {
			return s, err
		}
	}
	s.ID = "sub_" + shortHash(string(c.User), c.ClientID, string(s.Kind), string(s.Session), string(s.Host), s.URL)
	return s, nil
}

func noticeKinds() []NoticeKind { return []NoticeKind{NoticeNeedsAnswer, NoticeFinished, NoticeEnded} }

func checkCallback(address string) (*url.URL, error) {
	if len(address) > maxCallback || !plainURL(address) {
		return nil, refuse(ErrInvalid, "delivery.url: want an address of at most %d characters", maxCallback)
	}
	if err := outbound.CheckURL(address); err != nil {
		return nil, refuse(ErrInvalid, "delivery.url: %v", err)
	}
	callback, err := url.Parse(address)
	if err != nil || callback.Fragment != "" {
		return nil, refuse(ErrInvalid, "delivery.url: want an address without a fragment")
	}
	return callback, nil
}

// plainURL admits the characters that an address may have (RFC 3986), so that it has one reading only.
func plainURL(s string) bool {
	for _, r := range s {
		if r <= ' ' || r >= 0x7f {
			return false
		}
	}
	return true
}

// admitCallback lets a client have something sent to an address that it has not used before.
func (f *Fleet) admitCallback(ctx context.Context, c auth.Caller, s Subscription, secret auth.Secret) error {
	count, err := f.Store.CountSubscriptions(ctx, c.User, f.Now())
	if err != nil {
		return err
	}
	if count >= maxSubscriptions {
		return refuse(ErrTooMany, "you have %d subscriptions; end one first", count)
	}
	verified, err := f.Store.VerifiedCallback(ctx, c.User, c.ClientID, s.URL, f.Now())
	if err != nil || verified {
		return err
	}
	callback, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	rate := auth.Rate{PerSecond: verificationsPerSecond, Burst: verificationsAtOnce}
	for _, key := range []string{"host " + callback.Host, "user " + string(c.User)} {
		if delay := f.verifications.Take(key, rate, f.Now()); delay > 0 {
			return refuse(ErrTooMany, "too many callback endpoints were asked; try again in %v", delay.Round(time.Second))
		}
	}
	err = f.Webhooks.Verify(ctx, notify.Callback{Subscription: s.ID, URL: s.URL, Secrets: []auth.Secret{secret}})
	if failed := new(notify.CallbackError); errors.As(err, &failed) {
		f.Log.InfoContext(ctx, "callback endpoint not verified", "user", c.User, "host", callback.Host, "err", failed.Cause)
	}
	return err
}

func (f *Fleet) opens(s Subscription, secret auth.Secret) bool {
	text, err := f.Seal.Open(s.Secret, []byte(s.ID))
	return err == nil && auth.Secret(text) == secret
}

// grantTTL is how long a client that suggests a time gets: no longer than that, unless it is very short.
func grantTTL(suggested time.Duration) time.Duration {
	switch {
	case suggested == 0:
		return defaultTTL
	case suggested < 0:
		return maxTTL
	}
	return min(max(suggested, minTTL), maxTTL)
}
