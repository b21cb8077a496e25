package auth

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	var l Limiter
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	perMinute := Rate{PerSecond: 1. / 60, Burst: 2}
	for i, want := range []time.Duration{0, 0, time.Minute, time.Minute} {
		if got := l.Take("ada", perMinute, now).Round(time.Second); got != want {
			t.Errorf("act %d: wait %s, want %s", i, got, want)
		}
	}
	if got := l.Take("bob", perMinute, now); got != 0 {
		t.Errorf("somebody else waits %s", got)
	}
	if got := l.Take("ada", perMinute, now.Add(time.Minute)); got != 0 {
		t.Errorf("a minute later: wait %s", got)
	}
	if got := l.Take("ada", Rate{}, now); got != 0 {
		t.Errorf("without a limit: wait %s", got)
	}
}

func TestLimiterForgets(t *testing.T) {
	var l Limiter
	for i := range maxLimiterNames + 10 {
		l.Take(fmt.Sprint(i), Rate{PerSecond: 1, Burst: 1}, time.Time{})
	}
	if len(l.names) > maxLimiterNames {
		t.Errorf("%d names are kept", len(l.names))
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":             "192.0.2.7",
		"2001:db8:1:2:3::4":     "2001:db8:1:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"::ffff:192.0.2.7":      "::ffff:192.0.2.7",
		"no address, a request": "no address, a request",
	} {
		if got := Network(address); got != want {
			t.Errorf("Network(%s) = %s, want %s", address, got, want)
		}
	}
}
