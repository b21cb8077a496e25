package main

import (
	"net/netip"
	"testing"
)

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "203.0.113.5:1234", nil, "203.0.113.5"},
		{"forged by a client", "203.0.113.5:1234", []string{"198.51.100.1"}, "203.0.113.5"},
		{"one proxy", "127.0.0.1:1234", []string{"203.0.113.5"}, "203.0.113.5"},
		{"forged through a proxy", "127.0.0.1:1234", []string{"198.51.100.1, 203.0.113.5"}, "203.0.113.5"},
		{"two proxies", "127.0.0.1:1234", []string{"198.51.100.1, 203.0.113.5, 10.1.2.3"}, "203.0.113.5"},
		{"two header lines", "127.0.0.1:1234", []string{"203.0.113.5", "10.1.2.3"}, "203.0.113.5"},
		{"only proxies", "127.0.0.1:1234", []string{"10.1.2.3"}, "10.1.2.3"},
		{"a proxy that names nobody", "127.0.0.1:1234", nil, "127.0.0.1"},
		{"garbage", "127.0.0.1:1234", []string{"unknown, ;drop"}, "127.0.0.1"},
		{"IPv6", "[::1]:1234", nil, "::1"},
		{"IPv4 in IPv6", "127.0.0.1:1234", []string{"::ffff:203.0.113.5"}, "203.0.113.5"},
		{"not an address", "pipe", []string{"203.0.113.5"}, "pipe"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := clientIP(trusted, test.peer, test.forwarded); got != test.want {
				t.Errorf("clientIP(%q, %q) = %q, want %q", test.peer, test.forwarded, got, test.want)
			}
		})
	}
}
