package protocol

import "fmt"

// Code says what kind of refusal or failure crossed from a host.
type Code string

// The codes, and what the control plane may conclude from each.
const (
	CodeInvalid     Code = "invalid"     // the request itself is wrong; repeating it cannot help
	CodeRefused     Code = "refused"     // this host's policy says no
	CodeNotFound    Code = "not_found"   // no such session or prompt on this host
	CodeConflict    Code = "conflict"    // the session is not in a state for this: exited, or a prompt is open
	CodeSettled     Code = "settled"     // the prompt has been answered already
	CodeUnavailable Code = "unavailable" // the host cannot do it now; nothing was done
	CodeInternal    Code = "internal"    // the host failed; what was done is unknown
)

// ErrorHeader marks a NATS reply whose body is an Error.
const ErrorHeader = "Switchboard-Error"

// Error is the only error that crosses between host and control plane. Its message is shown to people.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an Error of the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
