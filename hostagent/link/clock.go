package link

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// clockGrace allows for the difference between the clocks of replicas: one told the time, another sends commands.
	clockGrace = time.Second
	// unknownGrace allows for the difference between the control plane's clock and ours.
	unknownGrace = time.Minute
)

// clock is the control plane's, as it was told last. It goes on by time that has passed here, asleep too, so that a jump
// of this machine's clock does not make a command late, and a night with its lid closed does not make a late one timely.
type clock struct {
	mu   sync.Mutex    // guards the fields below
	told time.Time     // zero: never
	up   time.Duration // for how long this machine was up then
}

// set is told what time it was at the earliest.
func (c *clock) set(now time.Time) {
	if now.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told, c.up = now, uptime()
}

// now is what time it is at the control plane, and how wrong that may be.
func (c *clock) now() (now time.Time, grace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := uptime()
	if c.told.IsZero() || c.up == 0 || up == 0 {
		return time.Now(), unknownGrace
	}
	return c.told.Add(up - c.up), clockGrace
}

// uptime is how long this machine has been up; 0 if it cannot be told.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(upClock, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
