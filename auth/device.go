package auth

import (
	"context"
	"crypto/rand"
	"strings"
	"time"
)

// DeviceRequest is a device's wish to act for a person, who has yet to be found: he types the user code on our page
// (RFC 8628). What the device says of itself may be a lie.
type DeviceRequest struct {
	Signature string // of the device code, with which the device polls
	UserCode  string // without a dash
	ClientID  string
	Client    string // its name
	Kind      ClientKind
	ClientURI string
	Scopes    Scopes
	Resource  string
	Addr      string // from where the device asked
	HostName  string // what a machine that wants to become a host calls itself
	HostUser  string // and as whom its agents run
	CreatedAt time.Time
	ExpiresAt time.Time
	Interval  time.Duration // that the device must leave between polls
	PolledAt  *time.Time
	DecidedAt *time.Time
	Grant     GrantID // empty though decided: denied
	SpentAt   *time.Time
}

// Enrols reports whether this is a machine that wants to become a host.
func (d DeviceRequest) Enrols() bool { return d.Scopes.Has(ScopeHostsEnroll) }

// Code is the user code as people see it.
func (d DeviceRequest) Code() string { return FormatUserCode(d.UserCode) }

// How long a device waits, and how often it may ask. A device that comes earlier must wait longer from then on (RFC
// 8628 section 3.5); one that is a little early by the network's doing is not blamed.
const (
	deviceLife        = 10 * time.Minute
	deviceInterval    = 5 * time.Second
	deviceSlowDown    = 5 * time.Second
	maxDeviceInterval = time.Minute
	deviceJitter      = time.Second
)

// DeviceStore keeps device requests. Its errors match ErrNotFound and ErrUnavailable where they apply.
type DeviceStore interface {
	// InsertDevice keeps a request. ErrCodeTaken: another one has its user code.
	InsertDevice(ctx context.Context, d DeviceRequest) error
	// Device finds a request by its user code that is not decided and has not expired at now.
	Device(ctx context.Context, userCode string, now time.Time) (DeviceRequest, error)
	// DecideDevice settles such a request once: it keeps the grant, or denies if there is none. ErrNotFound: it is
	// decided already, or has expired.
	DecideDevice(ctx context.Context, userCode string, grant *Grant, at time.Time) error
}

// DeviceTx is what the token endpoint does about a device code, in one transaction.
type DeviceTx interface {
	// LockDevice finds a request by its device code's signature, whatever has become of it, and keeps others from it.
	LockDevice(ctx context.Context, signature string) (DeviceRequest, error)
	// PollDevice notes that the device asked, and how long it must wait from now on.
	PollDevice(ctx context.Context, signature string, at time.Time, interval time.Duration) error
	// SpendDevice marks a request's tokens as handed out. ErrNotFound: they were already.
	SpendDevice(ctx context.Context, signature string, at time.Time) error
	// LockGrant finds a grant that is alive and keeps others from it.
	LockGrant(ctx context.Context, id GrantID) (Grant, error)
}

// ErrCodeTaken is what a DeviceStore says of a user code that is in use.
var ErrCodeTaken = &FieldError{"user code", "is in use"}

// userCodeLetters are consonants that are not mistaken for one another or for digits, and spell no word (RFC 8628
// section 6.1). Eight of them are 34 bits, which do for ten minutes behind a login and a limit.
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// newUserCode takes random bytes, and leaves those that would make some letters more likely than others.
func newUserCode() string {
	const fair = 256 - 256%len(userCodeLetters)
	code := make([]byte, 0, userCodeLength)
	var random [4 * userCodeLength]byte
	for len(code) < userCodeLength {
		rand.Read(random[:]) // never fails
		for _, b := range random {
			if int(b) < fair && len(code) < userCodeLength {
				code = append(code, userCodeLetters[int(b)%len(userCodeLetters)])
			}
		}
	}
	return string(code)
}

// ParseUserCode reads a user code as a person types it: in any case, with any dashes and spaces, or none.
func ParseUserCode(s string) (code string, ok bool) {
	if len(s) > 64 {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ' || r == '\t' || r == '\u2010' || r == '\u2011' || r == '\u2013' || r == '\u00a0':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
	other := func(r rune) bool { return !strings.ContainsRune(userCodeLetters, r) }
	if len(code) != userCodeLength || strings.ContainsFunc(code, other) {
		return "", false
	}
	return code, true
}

// FormatUserCode writes a user code so that it can be read out.
func FormatUserCode(code string) string {
	if len(code) != userCodeLength {
		return code
	}
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}
