package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Follow is what a caller wants to be told of for as long as he listens.
type Follow struct {
	// What returns what he follows at the moment; Changed gets a value when that is something else.
	What    func() Followed
	Changed <-chan struct{}
	// Tell gets how those look that he may see, after each change and now and then. It may be called without one.
	Tell func(Looks)
}

// Followed names sessions and hosts.
type Followed struct {
	Sessions []protocol.SessionID
	Hosts    []protocol.HostID
}

// Looks says how sessions and hosts look, each in a word that is another one after a change.
type Looks struct {
	Sessions map[protocol.SessionID]string
	Hosts    map[protocol.HostID]string
}

// Who follows is told of changes together that come within followPause, and looks by himself every followBackstop,
// since a word can be lost and a host's silence is none.
const (
	followPause    = time.Second
	followBackstop = 5 * time.Second
)

// Follow tells of changes until ctx ends. What the caller may no longer see he hears nothing of from then on: each
// look is through the gate's eyes. That something changed is no content, so it is not recorded.
func (f *Fleet) Follow(ctx context.Context, c auth.Caller, what Follow) {
	for ctx.Err() == nil {
		f.followSame(ctx, c, what)
	}
}

// followSame follows until the caller follows something else.
func (f *Fleet) followSame(ctx context.Context, c auth.Caller, what Follow) {
	followed := what.What()
	if len(followed.Sessions)+len(followed.Hosts) == 0 {
		select {
		case <-what.Changed:
		case <-ctx.Done():
		}
		return
	}
	changed, stop := f.watchSessions(ctx, followed.Sessions)
	defer stop()
	tick := time.NewTicker(followBackstop)
	defer tick.Stop()
	for {
		select { // also before the first look: until then the caller may still be reading what he follows
		case <-ctx.Done():
			return
		case <-time.After(followPause):
		}
		looks, err := f.looks(ctx, c, followed)
		if err == nil {
			what.Tell(looks)
		} else if ctx.Err() == nil {
			f.Log.WarnContext(ctx, "changes not looked up", "user", c.User, "err", err)
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-what.Changed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// watchSessions is Changes.Watch for those who also look by themselves. Of no session there is no word.
func (f *Fleet) watchSessions(ctx context.Context, sessions []protocol.SessionID) (changed <-chan struct{}, stop func()) {
	if len(sessions) == 0 {
		return nil, func() {}
	}
	changed, stop, err := f.Changes.Watch(sessions...)
	if err != nil {
		f.Log.WarnContext(ctx, "follow without word of changes", "err", err)
		return nil, func() {}
	}
	return changed, stop
}

func (f *Fleet) looks(ctx context.Context, c auth.Caller, followed Followed) (Looks, error) {
	looks := Looks{Sessions: map[protocol.SessionID]string{}, Hosts: map[protocol.HostID]string{}}
	if len(followed.Sessions) > 0 && c.Scopes.Has(auth.ScopeSessionsRead) {
		sessions, err := f.Store.SessionsByID(ctx, c.User, followed.Sessions)
		if err != nil {
			return Looks{}, err
		}
		f.judge(sessions)
		for _, s := range sessions {
			looks.Sessions[s.ID] = s.Look()
		}
	}
	if len(followed.Hosts) > 0 && c.Scopes.Has(auth.ScopeHostsRead) {
		hosts, err := f.Store.VisibleHosts(ctx, c, "")
		if err != nil {
			return Looks{}, err
		}
		for _, h := range hosts {
			if slices.Contains(followed.Hosts, h.ID) {
				looks.Hosts[h.ID] = h.Look(f.Now())
			}
		}
	}
	return looks, nil
}

// Look is another word after each change of the session.
func (s Session) Look() string { return s.Cursor() }

// Look is another word after each change of the host, as judged at now. That it was heard of again is none.
func (h Host) Look(now time.Time) string {
	sum := sha256.New()
	fmt.Fprintln(sum, h.Online(now), h.Sessions, h.Name, h.OwnerName, h.Access, h.AgentVersion, h.OS, h.Kinds, h.Roots, h.Modes)
	return hex.EncodeToString(sum.Sum(nil)[:6])
}
