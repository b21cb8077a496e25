package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"switchboard/auth"
)

// explain wraps an error with what was being done, and tells by errors.Is what an edge can do about it:
//   - auth.ErrNotFound for pgx.ErrNoRows, and for an id that no row can have;
//   - auth.ErrUnavailable if the database could not be reached or could not serve, so that trying again may help.
//
// It returns nil for nil. Every method of DB returns its errors through it.
func explain(doing string, err error) error {
	var known *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.Is(err, pgx.ErrNoRows), unkeepable(err):
		return fmt.Errorf("%s: %w", doing, auth.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", doing, &failure{cause: err, unavailable: unavailable(err)})
}

// unkeepable reports whether a text was asked for that PostgreSQL can keep nowhere: one with a NUL, or that is no
// UTF-8 (SQLSTATE 22021). What is to be kept has been checked before.
func unkeepable(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "22021"
}

// failure is an error of the database that has been judged.
type failure struct {
	cause       error
	unavailable bool
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// Is makes errors.Is(err, auth.ErrUnavailable) tell what was judged.
func (f *failure) Is(target error) bool { return f.unavailable && target == auth.ErrUnavailable }

// unavailable reports whether err is about the server and not about what was asked of it.
func unavailable(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return serverTrouble(refused.Code)
	}
	if errors.Is(err, context.Canceled) {
		return false // whoever asked has gone
	}
	var dial *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &dial) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// serverTrouble judges an SQLSTATE: connection exceptions (08), insufficient resources (53), operator
// intervention (57: shutdown, cancelled by a time-out), system errors (58), lock time-outs, and the read-only
// transactions of a server that is being failed over.
func serverTrouble(code string) bool {
	for _, class := range []string{"08", "53", "57", "58"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return code == "55P03" || code == "25006" || code == "40001" || code == "40P01"
}

// isDuplicate reports whether err says that the named unique index has such a row already.
func isDuplicate(err error, index string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "23505" && refused.ConstraintName == index
}
