package fleet

import (
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
