package mcphttp

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how many requests one person or address may send. The zero value sets no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// limiter counts requests by name: that of a person, or of an address.
type limiter struct {
	rate Rate

	mu    sync.Mutex // guards the fields below
	names map[string]*account
}

type account struct {
	tokens *rate.Limiter
	open   int // requests that are not answered yet
}

// maxNames is how many names are kept before those that owe nothing are forgotten.
const maxNames = 10_000

func newLimiter(r Rate) *limiter { return &limiter{rate: r, names: map[string]*account{}} }

// take reports how long the name must wait before its next request; 0 lets it in.
func (l *limiter) take(name string) time.Duration {
	if l.rate == (Rate{}) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	reservation := l.account(name).tokens.Reserve()
	if !reservation.OK() {
		return time.Minute
	}
	delay := reservation.Delay()
	if delay > 0 {
		reservation.Cancel()
	}
	return delay
}

// enter counts a request of the name until leave is called. It refuses one beyond maxOpen.
func (l *limiter) enter(name string) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(name)
	if a.open >= maxOpen {
		return nil, false
	}
	a.open++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.open--
	}, true
}

// account is called with the lock held.
func (l *limiter) account(name string) *account {
	if a := l.names[name]; a != nil {
		return a
	}
	if len(l.names) >= maxNames {
		l.forget()
	}
	a := &account{tokens: rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)}
	l.names[name] = a
	return a
}

func (l *limiter) forget() {
	for name, a := range l.names {
		if a.open == 0 && a.tokens.Tokens() >= float64(l.rate.Burst) {
			delete(l.names, name)
		}
	}
}

// network is what one subscriber has: an IPv4 address, or an IPv6 /64.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
