package fleet

import (
	"context"
	"regexp"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Host is a machine with a host agent, as it was last heard of.
type Host struct {
	ID           protocol.HostID
	Name         string
	Owner        auth.UserID // empty until there is a first administrator
	OwnerName    string
	NKey         string // its public key
	CreatedAt    time.Time
	RemovedAt    *time.Time
	ConnectedAt  *time.Time
	LastSeenAt   *time.Time
	AwaySince    *time.Time // nil while connected
	Contract     int
	AgentVersion string
	Hostname     string
	OS           string
	Arch         string
	Kinds        []protocol.Kind
	Roots        []string
	Modes        []string

	Access   Access // of the caller who asked
	Sessions int    // that live
}

// Access is what a person may do on a host. Higher includes lower.
type Access int

// The levels of access.
const (
	AccessNone     Access = iota
	AccessManage          // an administrator who is nothing else: sees the host, may remove it, sees no session
	AccessViewer          // reads its sessions
	AccessOperator        // acts on its sessions
	AccessOwner           // and shares it
)

// Share lets another person see or operate a host.
type Share struct {
	User   auth.UserID
	Name   string
	Access Access
}

// Online reports whether the host is connected, judged at now.
func (h Host) Online(now time.Time) bool {
	return h.AwaySince == nil && h.LastSeenAt != nil && now.Sub(*h.LastSeenAt) < protocol.OfflineAfter
}

// LastThere is when a host that is not online was there last; nil: never.
func (h Host) LastThere() *time.Time {
	if h.AwaySince != nil {
		return h.AwaySince
	}
	return h.LastSeenAt
}

func (h Host) onlineWords(now time.Time) string {
	switch {
	case h.Online(now):
		return "online"
	case h.LastSeenAt == nil:
		return "never connected"
	}
	return "offline" + h.peer().since()
}

// HostStore keeps hosts, their shares and join tokens.
type HostStore interface {
	// VisibleHosts are those that c may see, by name. A ref narrows them to the one with that id or name.
	VisibleHosts(ctx context.Context, c auth.Caller, ref string) ([]Host, error)
	// HostByKey finds a host that is not removed by its public key.
	HostByKey(ctx context.Context, nkey string) (Host, error)
	HostShares(ctx context.Context, id protocol.HostID) ([]Share, error)
	// SetShare gives or, with AccessNone, ends a share. ErrNotFound: there is no such person.
	SetShare(ctx context.Context, id protocol.HostID, user auth.UserID, access Access) error
	RemoveHost(ctx context.Context, id protocol.HostID, at time.Time) error
	// AdoptHosts gives hosts and join tokens without an owner to one; to nobody in particular: to the first
	// administrator, if there is one.
	AdoptHosts(ctx context.Context, owner auth.UserID) error

	// RecordHello stores what a host says of itself. ErrNotFound: removed or never there.
	RecordHello(ctx context.Context, id protocol.HostID, hello protocol.HelloRequest, at time.Time) (Greeted, error)
	// RecordHeartbeat stores that the host is there. ErrNotFound: as with RecordHello.
	RecordHeartbeat(ctx context.Context, id protocol.HostID, at time.Time) error
	// RecordAway returns the sessions that are from now on only known as they last were.
	RecordAway(ctx context.Context, id protocol.HostID, at time.Time) ([]protocol.SessionID, error)
	// RecordRestart makes every host away since it was last heard of.
	RecordRestart(ctx context.Context) error
}

// ListHosts returns the hosts that the caller owns, shares or, as an administrator, manages.
func (f *Fleet) ListHosts(ctx context.Context, c auth.Caller) ([]Host, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeHostsRead}); err != nil {
		return nil, err
	}
	return f.Store.VisibleHosts(ctx, c, "")
}

// Host returns one host, by its id or name.
func (f *Fleet) Host(ctx context.Context, c auth.Caller, ref string) (Host, error) {
	return f.host(ctx, c, deed{scope: auth.ScopeHostsRead, need: AccessManage}, ref)
}

// Shares returns with whom a host is shared.
func (f *Fleet) Shares(ctx context.Context, c auth.Caller, ref string) ([]Share, error) {
	host, err := f.host(ctx, c, deed{scope: auth.ScopeManage, need: AccessOwner}, ref)
	if err != nil {
		return nil, err
	}
	return f.Store.HostShares(ctx, host.ID)
}

// ShareHost lets another person see or operate a host; AccessNone ends that.
func (f *Fleet) ShareHost(ctx context.Context, c auth.Caller, ref string, user auth.UserID, access Access) error {
	host, err := f.host(ctx, c, deed{
		action: "host.share", scope: auth.ScopeManage, need: AccessOwner,
		target: limit(string(user)), detail: map[string]string{"access": access.String()},
	}, ref)
	if err != nil {
		return err
	}
	if access != AccessNone && access != AccessViewer && access != AccessOperator {
		return refuse(ErrInvalid, "access %s cannot be shared; want viewer, operator or none", access)
	}
	if user == c.User {
		return refuse(ErrInvalid, "user: host %s is your own", host.Name)
	}
	unseen := refuse(auth.ErrNotFound, "no person %.80q", user)
	if !plausible(string(user)) {
		return unseen
	}
	if err := f.Store.SetShare(ctx, host.ID, user, access); err != nil {
		return unlessFound(err, unseen)
	}
	return nil
}

func (a Access) String() string {
	switch a {
	case AccessManage:
		return "manage"
	case AccessViewer:
		return "viewer"
	case AccessOperator:
		return "operator"
	case AccessOwner:
		return "owner"
	}
	return "none"
}

func limit(s string) string { return s[:min(len(s), maxTarget)] }

// RemoveHost ends a host's registration for good: its connection is cut and its key is not accepted again. What
// runs on it goes on there.
func (f *Fleet) RemoveHost(ctx context.Context, c auth.Caller, ref string) error {
	host, err := f.host(ctx, c, deed{
		action: "host.remove", scope: auth.ScopeManage, need: AccessOwner, orAdmin: true,
	}, ref)
	if err != nil {
		return err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	if err := f.Store.RemoveHost(ctx, host.ID, f.Now()); err != nil {
		return err
	}
	if err := f.Hosts.Cut(host.ID); err != nil {
		f.Log.WarnContext(ctx, "connection of a removed host not cut at once", "host", host.ID, "err", err)
	}
	return nil
}

// hostName is what a host may be called, in at most maxHostName characters: it is said, typed and shown.
var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$`)

const maxHostName = 40

func checkHostName(name string) error {
	if !hostName.MatchString(name) {
		return refuse(ErrInvalid, "host name %.50q: want 1 to 40 of A-Z, a-z, 0-9, space, dot, - and _, beginning with a letter or digit", name)
	}
	return nil
}
