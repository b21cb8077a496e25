package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often something may be done under one name. With PerSecond 0 there is no limit.
type Rate struct {
	PerSecond float64
	Burst     int // at once
}

// Limiter bounds how often something is done under each of many names, such as people or networks. The zero value
// is ready. It is kept in memory: each replica has its own, which makes the bound a few times wider and nothing worse.
type Limiter struct {
	mu    sync.Mutex // guards the field below
	names map[string]*rate.Limiter
}

// maxLimiterNames is how many names are remembered at most, about 1 MB.
const maxLimiterNames = 10_000

// Take counts an act under a name. It returns 0 if the act may be done at now, or else how long to wait.
func (l *Limiter) Take(name string, r Rate, now time.Time) time.Duration {
	if r.PerSecond == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	reservation := l.name(name, r).ReserveN(now, 1)
	if !reservation.OK() {
		return time.Minute // a rate without a burst lets nobody in
	}
	delay := reservation.DelayFrom(now)
	if delay > 0 {
		reservation.CancelAt(now)
	}
	return delay
}

// name is called with the lock held.
func (l *Limiter) name(name string, r Rate) *rate.Limiter {
	if known := l.names[name]; known != nil {
		return known
	}
	if l.names == nil || len(l.names) >= maxLimiterNames {
		// Forgetting everyone now and then is cheaper than remembering in which order they came.
		l.names = make(map[string]*rate.Limiter)
	}
	l.names[name] = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
	return l.names[name]
}

// Network is what one subscriber can be taken to hold of the addresses: an IPv4 address, or an IPv6 /64.
func Network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Unmap().Is4() {
		return addr
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.String()
}
