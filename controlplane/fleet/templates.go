package fleet

import (
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Template is a named way to start a session.
type Template struct {
	Name           string
	Description    string
	Host           protocol.HostID // empty: the caller says
	HostName       string
	WorkingDir     string
	Agent          string
	PermissionMode string
	Message        string
	CreatedBy      auth.UserID
	CreatedAt      time.Time
}
