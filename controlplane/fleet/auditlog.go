package fleet

import (
	"context"

	"switchboard/auth"
	"switchboard/auth/audit"
)

// AuditStore reads the audit chain. Fleet.Audit appends to it.
type AuditStore interface {
	// AuditEvents are the newest records before a seq (0: the newest of all), newest first. A user narrows them to
	// his own.
	AuditEvents(ctx context.Context, user auth.UserID, before int64, limit int) ([]audit.Event, error)
}
