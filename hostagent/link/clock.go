package link

import (
	"sync"
	"time"
)

const (
	// clockGrace allows for the difference between the clocks of replicas: one told the time, another sends commands.
	clockGrace = time.Second
	// unknownGrace allows for the difference between the control plane's clock and ours.
	unknownGrace = time.Minute
)

// clock is the control plane's, as it was told last. It goes on by time that has passed here, so that a jump of this
// machine's clock does not make a command late or a late one timely.
type clock struct {
	mu   sync.Mutex // guards the fields below
	told time.Time  // zero: never
	at   time.Time  // when, here
}

// set is told what time it was at the earliest.
func (c *clock) set(now time.Time) {
	if now.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told, c.at = now, time.Now()
}

// now is what time it is at the control plane, and how wrong that may be.
func (c *clock) now() (now time.Time, grace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told.IsZero() {
		return time.Now(), unknownGrace
	}
	return c.told.Add(time.Since(c.at)), clockGrace
}
