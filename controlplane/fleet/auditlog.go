package fleet

import (
	"context"

	"switchboard/auth"
	"switchboard/auth/audit"
)

// AuditStore reads the audit chain. Fleet.Audit appends to it.
type AuditStore interface {
	// AuditEvents are the newest records before a seq (0: the newest of all), newest first. A user's id narrows them
	// to his own.
	AuditEvents(ctx context.Context, user string, before int64, limit int) ([]audit.Event, error)
}

// The lengths of a page of the audit log.
const (
	defaultRecords = 100
	maxRecords     = 1000
)

// AuditLog returns a page of the audit log, newest first: an administrator sees all, everybody else what was done
// in his own name.
func (f *Fleet) AuditLog(ctx context.Context, c auth.Caller, before int64, limit int) ([]audit.Event, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeManage}); err != nil {
		return nil, err
	}
	if before < 0 || limit < 0 || limit > maxRecords {
		return nil, refuse(ErrInvalid, "before %d, limit %d: want a record's number and at most %d", before, limit, maxRecords)
	}
	if limit == 0 {
		limit = defaultRecords
	}
	if c.Role == auth.RoleAdmin {
		return f.Store.AuditEvents(ctx, "", before, limit)
	}
	if c.User == "" {
		return nil, nil // nobody's records, and not everybody's
	}
	return f.Store.AuditEvents(ctx, string(c.User), before, limit)
}
