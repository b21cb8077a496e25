package fleet

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/auth"
	"switchboard/controlplane/notify"
)

// How notices are told. Each subscription is served by one replica at a time, in order; an endpoint that fails holds
// up nobody else.
const (
	senders       = 16               // subscriptions that one replica serves at a time
	noticesAtOnce = 8                // of one subscription, before it makes room
	lease         = 2 * time.Minute  // well over noticesAtOnce slow answers
	lookAgain     = 15 * time.Second // for what another replica left, or word of which was lost
	gather        = 100 * time.Millisecond

	firstDelay  = 5 * time.Second // after a failure, doubled each time
	longDelay   = time.Hour
	maxAttempts = 10             // for one notice, while others wait behind it
	noticeLife  = 24 * time.Hour // nobody wants to hear of it any more
	patience    = 3 * 24 * time.Hour
)

// DeliverNotices tells who has subscribed what has happened, until the context ends.
func (f *Fleet) DeliverNotices(ctx context.Context) error {
	changed, stop, err := f.Changes.Watch()
	if err != nil {
		return err
	}
	defer stop()
	s := sender{fleet: f, more: make(chan struct{}, 1)}
	s.group.SetLimit(senders)
	defer func() { _ = s.group.Wait() }() // what they return is always nil
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		case <-s.more:
		case <-changed:
			// Changes come in bursts; one look is enough for all.
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(gather):
			}
		}
		again.Reset(s.serveDue(ctx))
	}
}

// sender serves subscriptions.
type sender struct {
	fleet *Fleet
	group errgroup.Group
	more  chan struct{} // gets a value when a subscription made room that is not done
}

// serveDue begins to serve the subscriptions that are due, and says when to look again.
func (s *sender) serveDue(ctx context.Context) time.Duration {
	f := s.fleet
	now := f.Now()
	due, err := f.Store.ClaimSubscriptions(ctx, now, now.Add(lease), senders)
	if err != nil {
		if ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "notices not read", "err", err)
		}
		return lookAgain
	}
	for _, subscription := range due {
		s.group.Go(func() error {
			if f.deliver(ctx, subscription) {
				select {
				case s.more <- struct{}{}:
				default: // one is waiting to be read already
				}
			}
			return nil
		})
	}
	if len(due) == senders {
		return 0
	}
	return lookAgain
}

// deliver tells a subscription what there is to tell, oldest first, until something fails. It reports whether it
// stopped only to make room for others.
func (f *Fleet) deliver(ctx context.Context, s Subscription) (more bool) {
	callback, err := f.callback(s)
	for range noticesAtOnce {
		if err != nil {
			break
		}
		var n PendingNotice
		if n, err = f.Store.NextNotice(ctx, s.ID, f.Now().Add(-noticeLife)); err == nil {
			err = f.tell(ctx, s, callback, n)
		}
	}
	more = err == nil
	if err == nil || errors.Is(err, auth.ErrNotFound) {
		err = f.Store.ReleaseSubscription(ctx, s.ID, f.Now())
	}
	var failed *notify.CallbackError
	switch {
	case err == nil || ctx.Err() != nil: // at a stop, another replica goes on when the lease ends
	case errors.As(err, &failed):
		f.Log.InfoContext(ctx, "notice not delivered", "subscription", s.ID, "reason", failed.Reason, "err", failed.Cause)
	default:
		f.Log.ErrorContext(ctx, "notice not delivered", "subscription", s.ID, "err", err)
	}
	return more
}

func (f *Fleet) callback(s Subscription) (notify.Callback, error) {
	callback := notify.Callback{Subscription: s.ID, URL: s.URL}
	for _, sealed := range [][]byte{s.Secret, s.OldSecret} {
		if sealed == nil {
			continue
		}
		secret, err := f.Seal.Open(sealed, []byte(s.ID))
		if err != nil {
			return notify.Callback{}, err
		}
		callback.Secrets = append(callback.Secrets, auth.Secret(secret))
	}
	return callback, nil
}

// tell sends one notice and keeps what came of it. A crash in between sends it again, under the same id.
func (f *Fleet) tell(ctx context.Context, s Subscription, callback notify.Callback, n PendingNotice) error {
	body, err := f.occurrence(n)
	if err != nil {
		return err
	}
	err = f.Webhooks.Send(ctx, callback, n.ID(), body)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := f.Now()
	var failed *notify.CallbackError
	switch {
	case err == nil:
		return f.Store.NoticeTold(ctx, s.ID, n, now)
	case !errors.As(err, &failed):
		return err
	case failed.Gone:
		return errors.Join(failed, f.Store.Unsubscribe(ctx, s.ID))
	case failed.Never || n.Attempts+1 >= maxAttempts:
		return f.Store.NoticeRefused(ctx, s.ID, n, string(failed.Reason), now)
	}
	return errors.Join(failed, f.Store.NoticeFailed(ctx, s.ID, n, Failure{
		Why: string(failed.Reason), At: now, Next: now.Add(max(backoff(n.Attempts), failed.After)),
		Active: s.FailedSince == nil || now.Sub(*s.FailedSince) < patience,
	}))
}

// backoff is how long a subscription waits after a notice has failed so many times before.
func backoff(attempts int) time.Duration {
	delay := firstDelay
	for range attempts {
		delay = min(2*delay, longDelay)
	}
	return delay
}
