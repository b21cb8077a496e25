package fleet

import (
	"context"
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

// JoinToken lets one machine become a host. Token is only known when it is made; its hash is kept.
type JoinToken struct {
	Token     string
	HostName  string
	Owner     auth.UserID
	ExpiresAt time.Time
}

// Enrolment is what a machine says of itself to become a host.
type Enrolment struct {
	Token string // the join token
	NKey  string // the public half of the key that it made
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
	// InsertJoinToken keeps a token's hash. Without an owner it is the first administrator's, if there is one.
	InsertJoinToken(ctx context.Context, hash []byte, token JoinToken) error
	// JoinToken finds what a token is for. ErrNotFound: unknown, used or expired at the given time.
	JoinToken(ctx context.Context, hash []byte, at time.Time) (JoinToken, error)
	// Enrol spends a token and inserts the host, both or neither. A repeat with the same key returns the host that
	// it made. ErrNotFound: the token is no longer good; ErrConflict: the name or the key is taken.
	Enrol(ctx context.Context, hash []byte, host Host) (Host, error)
	RemoveHost(ctx context.Context, id protocol.HostID, at time.Time) error
	// AdoptHosts gives hosts and join tokens without an owner to one.
	AdoptHosts(ctx context.Context, owner auth.UserID) error

	// RecordHello stores what a host says of itself. ErrNotFound: removed or never there.
	RecordHello(ctx context.Context, id protocol.HostID, hello protocol.HelloRequest, at time.Time) (Greeted, error)
	RecordHeartbeat(ctx context.Context, id protocol.HostID, at time.Time) error
	// RecordAway returns the sessions that are from now on only known as they last were.
	RecordAway(ctx context.Context, id protocol.HostID, at time.Time) ([]protocol.SessionID, error)
}
