package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
)

// Secret is a value that lets its bearer in: a browser login's token, an invite's, an access token. It does not
// print; convert it to a string where it leaves on purpose.
type Secret string

const redacted = "[redacted]"

func (Secret) String() string   { return redacted }
func (Secret) GoString() string { return redacted }

// LogValue keeps a secret out of every log.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// newSecret makes 256 random bits.
func newSecret() Secret {
	bits := make([]byte, 32)
	rand.Read(bits) // never fails
	return Secret(base64.RawURLEncoding.EncodeToString(bits))
}

// hash is what a store keeps of a secret. The secret is random, so a plain hash cannot be searched backwards.
func (s Secret) hash() []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}
