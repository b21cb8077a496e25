package auth

import (
	"errors"
	"fmt"
	"time"
)

// More errors that edges turn into answers, beside ErrNotFound and ErrForbidden.
var (
	// ErrUnavailable: the store cannot be reached; try again. Edges answer 503 with Retry-After.
	ErrUnavailable = errors.New("unavailable")
	// ErrNoLogin: there is no valid browser login; show the login page.
	ErrNoLogin = errors.New("not logged in")
	// ErrWrongPassword: unknown name or wrong password, which is not told apart.
	ErrWrongPassword = errors.New("name or password is wrong")
	// ErrSuspended: the password was right, but an administrator has suspended the account.
	ErrSuspended = errors.New("this account is suspended")
	// ErrProviderOnly: everybody logs in by a provider here, and not by a password or a passkey.
	ErrProviderOnly = errors.New("everybody logs in by the company's login here")
	// ErrInvalid is matched by every FieldError.
	ErrInvalid = errors.New("invalid")
	// ErrThrottled is matched by every ThrottledError.
	ErrThrottled = errors.New("too many attempts")
)

// RetryAfter is how long a client should wait when the store is away.
const RetryAfter = 5 * time.Second

// FieldError says what is wrong with one field of a form, in words for people. It matches ErrInvalid.
type FieldError struct{ Field, Problem string }

func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

// Is makes errors.Is(err, ErrInvalid) true.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// ThrottledError says that there were too many failed attempts, and when to come back. It matches ErrThrottled.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many failed attempts; try again in %s", e.RetryAfter.Round(time.Second))
}

// Is makes errors.Is(err, ErrThrottled) true.
func (e *ThrottledError) Is(target error) bool { return target == ErrThrottled }
