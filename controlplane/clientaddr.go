package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr makes r.RemoteAddr the client's own IP address, without a port, for everything behind it: rate limits,
// audit lines, grants. X-Forwarded-For counts only from a trusted proxy, and is read from its end: what stands
// before the last untrusted address was written by the client.
func clientAddr(trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = clientIP(trusted, r.RemoteAddr, r.Header.Values("X-Forwarded-For"))
		next.ServeHTTP(w, r)
	})
}

func clientIP(trusted []netip.Prefix, peer string, forwarded []string) string {
	if host, _, err := net.SplitHostPort(peer); err == nil {
		peer = host
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !isTrusted(trusted, peer) {
			break
		}
		address, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // a proxy that names nobody: the proxy itself is the best answer
		}
		peer = address.Unmap().String()
	}
	return peer
}

func isTrusted(trusted []netip.Prefix, peer string) bool {
	address, err := netip.ParseAddr(peer)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
}
