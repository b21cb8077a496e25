package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// The cost of a password hash: argon2id with one pass over 64 MiB by two threads.
const (
	argonTime    = 1
	argonMemory  = 64 << 10 // KiB
	argonThreads = 2
	argonKeyLen  = 32
	argonSaltLen = 16
)

// hashesAtOnce bounds the memory and the cores that logins can take.
const hashesAtOnce = 2

// The bounds of a password. The upper one keeps a form from becoming work.
const (
	minPassword = 12  // characters
	maxPassword = 512 // bytes
)

func checkPassword(p Secret) error {
	if utf8.RuneCountInString(string(p)) < minPassword {
		return &FieldError{"password", "must have at least 12 characters"}
	}
	if len(p) > maxPassword {
		return &FieldError{"password", "must have at most 512 bytes"}
	}
	return nil
}

// passwords hashes and checks passwords, a few at a time.
type passwords struct {
	once  sync.Once
	slots *semaphore.Weighted
	none  string       // a hash that no password has, for names that do not exist
	runs  atomic.Int64 // of the hash, which is what takes the time
}

func (p *passwords) enter(ctx context.Context) (leave func(), err error) {
	p.once.Do(func() {
		p.slots = semaphore.NewWeighted(hashesAtOnce)
		p.none = phc(make([]byte, argonSaltLen), make([]byte, argonKeyLen))
	})
	if err := p.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait for the password hash: %w", err)
	}
	p.runs.Add(1)
	return func() { p.slots.Release(1) }, nil
}

// hash returns the password's PHC string.
func (p *passwords) hash(ctx context.Context, password Secret) (string, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, argonSaltLen)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKeyLen)
	return phc(salt, key), nil
}

// verify reports whether a hash is the password's. An empty hash takes as long as any other.
func (p *passwords) verify(ctx context.Context, hash string, password Secret) (bool, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if len(password) > maxPassword {
		password = password[:maxPassword+1] // still wrong
	}
	known := hash != ""
	if !known {
		hash = p.none
	}
	cost, salt, key, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password), salt, cost.time, cost.memory, cost.threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1 && known, nil
}

// phc writes a hash with its cost, so that the cost can be raised and older hashes still be checked.
func phc(salt, key []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, encode(salt), encode(key))
}

type argonCost struct {
	memory, time uint32
	threads      uint8
}

var errPHC = errors.New("stored password hash is not an argon2id PHC string")

func parsePHC(s string) (cost argonCost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost, nil, nil, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.memory, &cost.time, &cost.threads); err != nil {
		return cost, nil, nil, errPHC
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) == 0 || cost.time == 0 || cost.threads == 0 {
		return cost, nil, nil, errPHC
	}
	return cost, salt, key, nil
}
