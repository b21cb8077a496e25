// Package seal closes small things that leave the process, to the database or to a client, and must come back as they
// were: second factors, signing secrets of webhooks, the state of a question to a person.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrBroken says that what was to be opened was not sealed by this Box, or not for this purpose, or was changed.
var ErrBroken = errors.New("seal is broken")

// Box seals for one purpose with AES-256-GCM. Its keys are derived from the control plane's own secrets, so that what
// was sealed for one purpose opens for no other.
type Box struct {
	keys []cipher.AEAD // the first one seals, all open
}

// New makes a Box. Each secret has at least 32 random bytes; the first one seals, and the others still open what was
// sealed before it was put in front of them.
func New(purpose string, secrets ...[]byte) (Box, error) {
	if len(secrets) == 0 {
		return Box{}, errors.New("seal: no secret")
	}
	var b Box
	for _, secret := range secrets {
		if len(secret) < sha256.Size {
			return Box{}, fmt.Errorf("seal: a secret of %d bytes; want at least %d", len(secret), sha256.Size)
		}
		key, err := hkdf.Key(sha256.New, secret, nil, "switchboard seal: "+purpose, 32)
		if err != nil {
			return Box{}, fmt.Errorf("seal: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return Box{}, fmt.Errorf("seal: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return Box{}, fmt.Errorf("seal: %w", err)
		}
		b.keys = append(b.keys, aead)
	}
	return b, nil
}

// Seal closes text. It opens only with the same bound, which stays in the open: whose it is, say.
func (b Box) Seal(text, bound []byte) []byte {
	return b.keys[0].Seal(nil, nil, text, bound)
}

// Open gives the text back, or ErrBroken.
func (b Box) Open(sealed, bound []byte) ([]byte, error) {
	for _, key := range b.keys {
		if text, err := key.Open(nil, nil, sealed, bound); err == nil {
			return text, nil
		}
	}
	return nil, ErrBroken
}
