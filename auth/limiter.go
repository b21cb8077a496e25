package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter bounds how often something may be done from one address. It is kept in memory: each replica has its own,
// which makes the bound a few times wider and nothing worse.
type limiter struct {
	mu    sync.Mutex // guards the field below
	peers map[string]*rate.Limiter
}

// A peer may register clients in bursts: a hosted MCP client registers for all its users from few addresses.
const (
	registerBurst = 20
	registerEvery = 10 * time.Second
	limiterPeers  = 10_000 // addresses remembered at most
)

// allow reports whether addr may go on at now.
func (l *limiter) allow(addr string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.peers == nil || len(l.peers) >= limiterPeers {
		// Forgetting everyone now and then is cheaper than remembering in which order they came.
		l.peers = make(map[string]*rate.Limiter)
	}
	key := network(addr)
	peer, ok := l.peers[key]
	if !ok {
		peer = rate.NewLimiter(rate.Every(registerEvery), registerBurst)
		l.peers[key] = peer
	}
	return peer.AllowN(now, 1)
}

// network is what one person can be taken to hold: an IPv4 address, or an IPv6 /64.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Is4() {
		return addr
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.String()
}
