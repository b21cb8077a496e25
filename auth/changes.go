package auth

import (
	"sync"
	"time"
)

// Change names what may no longer be what it was: a person, a grant or a client. The zero value is anything.
type Change struct {
	User     UserID
	Grant    GrantID
	ClientID string
}

// concerns reports whether the change is about somebody who acts under these names.
func (c Change) concerns(user UserID, grant GrantID, client string) bool {
	return c == Change{} || c.User != "" && c.User == user || c.Grant != "" && c.Grant == grant ||
		c.ClientID != "" && c.ClientID == client
}

// Changes is how a replica hears that something was taken away on any of them. It then forgets what it remembered of
// it, and wakes whoever watches for it. The zero value is ready and deaf: until it hears, nothing is remembered.
//
// Whoever tells it calls Listening, then Hears again and again, Tell for each change, and Deaf when it is over.
type Changes struct {
	mu      sync.Mutex // guards the fields below
	trusted time.Time  // nothing is remembered from then on
	told    uint64     // counts what was told
	known   map[tokenKey]remembered
	watches map[*watching]struct{}
}

// watching is someone who waits for a change.
type watching struct {
	caller Caller
	wake   func()
}

// Listening begins to hear. What happened before may have been missed.
func (c *Changes) Listening() { c.Tell(Change{}) }

// Hears says that every change that was committed before has been told, and that this may be relied on for a while.
// Time is the machine's own, since it is compared with that of a connection.
func (c *Changes) Hears(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trusted = until
}

// Deaf ends hearing.
func (c *Changes) Deaf() { c.Hears(time.Time{}) }

// Tell says what has changed.
func (c *Changes) Tell(change Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told++
	for key, r := range c.known {
		if change.concerns(r.User, r.Grant, r.ClientID) {
			delete(c.known, key)
		}
	}
	for w := range c.watches {
		if change.concerns(w.caller.User, w.caller.Grant, w.caller.ClientID) {
			w.wake()
		}
	}
}

// Watch calls wake whenever something about the caller has changed, or may have; what that is, he finds by asking
// again. Wake must not block. After stop it is not called any more.
func (c *Changes) Watch(caller Caller, wake func()) (stop func()) {
	w := &watching{caller, wake}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watches == nil {
		c.watches = map[*watching]struct{}{}
	}
	c.watches[w] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watches, w)
	}
}
