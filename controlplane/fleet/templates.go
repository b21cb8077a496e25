package fleet

import (
	"context"
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

// TemplateStore keeps templates.
type TemplateStore interface {
	Templates(ctx context.Context) ([]Template, error)
	Template(ctx context.Context, name string) (Template, error)
	SaveTemplate(ctx context.Context, t Template) error
	RemoveTemplate(ctx context.Context, name string) error
}
