package mcphttp

import (
	"fmt"
	"testing"
)

func TestLimits(t *testing.T) {
	e := start(t, func(c *Config) { c.PerUser = Rate{PerSecond: 0.001, Burst: 2} })
	for i := range 3 {
		got := e.post(t, callTool("who"), nil)
		if want := []int{200, 200, 429}[i]; got.status != want {
			t.Errorf("request %d: got %d, want %d", i, got.status, want)
		}
		if got.status == 429 && got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if got := e.post(t, callTool("who"), bearer("bob-token")); got.status != 200 {
		t.Errorf("somebody else got %d", got.status)
	}

	e = start(t, func(c *Config) { c.PerAddr = Rate{PerSecond: 0.001, Burst: 1} })
	e.post(t, callTool("who"), bearer("wrong"))
	if got := e.post(t, callTool("who"), bearer("wrong")); got.status != 429 {
		t.Errorf("second guess from one address: %d, want 429", got.status)
	}
}

func TestLimiterForgets(t *testing.T) {
	l := newLimiter(Rate{PerSecond: 1e6, Burst: 1})
	for i := range maxNames + 10 {
		l.take(fmt.Sprint(i))
	}
	if len(l.names) > maxNames {
		t.Errorf("%d names are kept", len(l.names))
	}
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "::ffff:192.0.2.7": "::ffff:192.0.2.7",
	} {
		if got := network(address); got != want {
			t.Errorf("network(%s) = %s, want %s", address, got, want)
		}
	}
}
