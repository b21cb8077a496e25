package protocol

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// The names of things. Each has its own type, because mixing two of them up would act on the wrong machine.
type (
	HostID    string // ParseHostID says which
	SessionID string // a lower-case UUID, chosen by the control plane and given to the agent as its own
	PromptID  string // chosen by the holder that received the question
	MessageID string // chosen by the control plane
	CommandID string // chosen by the control plane; a host acts once on each
)

const maxHostID = 40

// ParseHostID checks a host id that came from outside. It admits nothing that has a meaning in a NATS subject, so no
// name can widen one.
func ParseHostID(s string) (HostID, error) {
	if s == "" || len(s) > maxHostID || strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("host id %.50q: want 1 to 40 of a-z, 0-9 and -", s)
	}
	return HostID(s), nil
}

// ParseSessionID checks a session id that came from outside. It names a directory on the host.
func ParseSessionID(s string) (SessionID, error) {
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		return "", fmt.Errorf("session id %.50q: want a lower-case UUID", s)
	}
	return SessionID(s), nil
}

// NewSessionID makes a random session id (UUID version 4).
func NewSessionID() SessionID { return SessionID(uuid.NewString()) }

// NewID makes a random name of 130 bits that may stand in a subject, a path and a URL.
func NewID() string { return strings.ToLower(rand.Text()) }
