package link

import "golang.org/x/sys/unix"

// upClock counts the time that the machine is up, asleep or awake. Go's own monotonic clock stands still in its sleep.
const upClock = unix.CLOCK_MONOTONIC
