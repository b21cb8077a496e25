package mcphttp

import (
	"testing"

	"switchboard/auth"
)

func TestLimits(t *testing.T) {
	e := start(t, func(c *Config) { c.PerUser = auth.Rate{PerSecond: 0.001, Burst: 2} })
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

	e = start(t, func(c *Config) { c.PerAddr = auth.Rate{PerSecond: 0.001, Burst: 1} })
	e.post(t, callTool("who"), bearer("wrong"))
	if got := e.post(t, callTool("who"), bearer("wrong")); got.status != 429 {
		t.Errorf("second guess from one address: %d, want 429", got.status)
	}
}
