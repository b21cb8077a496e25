package fleet

import (
	"errors"
	"fmt"

	"switchboard/auth"
)

// The errors an edge turns into answers, beside auth.ErrNotFound, auth.ErrForbidden and *protocol.Error. Each is
// wrapped in a sentence for people, except that a store which is away is a bare ErrUnavailable: see ForPeople.
var (
	ErrInvalid     = auth.ErrInvalid        // the request is wrong; the message names the field
	ErrConflict    = errors.New("conflict") // not in this state: exited, a prompt is open, settled already
	ErrUnavailable = auth.ErrUnavailable    // host away, or a store that cannot be reached; try again
	ErrUnknown     = errors.New("unknown")  // sent, but the answer did not come: the outcome must be looked up
)

// ErrDown is the ErrUnavailable that is ours and not one host's: NATS is away, so none can be reached.
var ErrDown = fmt.Errorf("NATS is %w", ErrUnavailable)

// ForPeople reports whether an error's text was written for whoever asked, and may be shown to him.
func ForPeople(err error) bool {
	var said *refusal
	return errors.As(err, &said)
}

// refusal is a sentence for people that matches one of the errors above.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

func refuse(kind error, format string, args ...any) error {
	return &refusal{kind: kind, text: fmt.Sprintf(format, args...)}
}
