package auth

import (
	"crypto/sha256"
	"slices"
	"time"
)

// What is remembered of access tokens, so that a call need not ask the store.
const (
	maxRemembered = 10_000      // tokens, some 5 MB
	rememberLife  = time.Minute // should a change not be told, which is a bug
)

// tokenKey is the name under which a token is remembered; the token cannot be read off it.
type tokenKey [sha256.Size]byte

func keyOf(token Secret) tokenKey { return sha256.Sum256([]byte(token)) }

// remembered is who holds a token, as the store said at a time.
type remembered struct {
	Access
	at time.Time
}

// good reports whether what is remembered still holds at now. A clock that went backwards makes it doubtful.
func (r remembered) good(now time.Time) bool {
	age := now.Sub(r.at)
	return age >= 0 && age < rememberLife && now.Before(r.ExpiresAt)
}

// recall finds who holds a token. To one caller a minute it also says that the grant's last use is to be written.
func (c *Changes) recall(key tokenKey, now time.Time) (access Access, touch, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.known[key]
	if !ok || !time.Now().Before(c.trusted) {
		return Access{}, false, false
	}
	if !r.good(now) {
		delete(c.known, key)
		return Access{}, false, false
	}
	if touch = r.unused(now); touch {
		r.LastUsedAt = &now
		c.known[key] = r
	}
	return r.Access, touch, true
}

// count is taken before the store is asked, and given back with what it said.
func (c *Changes) count() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

// remember keeps what the store said, unless anything was told since it was asked: its answer may be from before
// that. What is told before the question is asked, the store knows.
func (c *Changes) remember(key tokenKey, access Access, now time.Time, count uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told != count || !time.Now().Before(c.trusted) {
		return
	}
	if c.known == nil {
		c.known = map[tokenKey]remembered{}
	}
	if len(c.known) >= maxRemembered {
		for any := range c.known {
			delete(c.known, any)
			break
		}
	}
	access.Scopes = slices.Clip(access.Scopes) // many callers will hold them
	if access.unused(now) {
		access.LastUsedAt = &now // it is being written
	}
	c.known[key] = remembered{access, now}
}
