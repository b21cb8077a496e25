package mcphttp

import (
	"net/http"
	"testing"
)

func TestDoors(t *testing.T) {
	e := start(t, nil)
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"no origin", nil, 200},
		{"own origin", header("Origin", e.url), 200},
		{"listed origin", header("Origin", "https://chatgpt.com"), 200},
		{"listed origin with its port", header("Origin", "https://chatgpt.com:443"), 200},
		{"null origin", header("Origin", "null"), 403},
		{"empty origin", header("Origin", ""), 403},
		{"other origin", header("Origin", "https://evil.example"), 403},
		{"origin with a longer host", header("Origin", "https://chatgpt.com.evil.example"), 403},
		{"origin with userinfo", header("Origin", "https://chatgpt.com@evil.example"), 403},
		{"origin with a path", header("Origin", "https://chatgpt.com/x"), 403},
		{"origin with another scheme", header("Origin", "http://chatgpt.com"), 403},
		{"origin with another port", header("Origin", "https://chatgpt.com:8443"), 403},
		{"loopback look-alike", header("Origin", "http://localhost.evil.example"), 403},
		{"two origins", func(r *http.Request) { r.Header["Origin"] = []string{"https://chatgpt.com", "https://evil.example"} }, 403},
		{"other host", func(r *http.Request) { r.Host = "evil.example" }, 421},
		{"rebound host with our port", func(r *http.Request) {
			r.Host = "evil.example:" + r.URL.Port()
		}, 421},
		{"forwarded host counts for nothing", header("X-Forwarded-Host", "evil.example"), 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := e.post(t, callTool("who"), test.change)
			if got.status != test.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control: %q", got.header.Get("Cache-Control"))
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	e := start(t, nil)
	got := e.send(t, e.request(t, http.MethodOptions, "", func(r *http.Request) {
		r.Header.Set("Origin", "https://chatgpt.com")
		r.Header.Del("Authorization")
	}))
	if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "https://chatgpt.com" {
		t.Errorf("preflight: %d %v", got.status, got.header)
	}
	got = e.send(t, e.request(t, http.MethodOptions, "", func(r *http.Request) { r.Header.Del("Authorization") }))
	if got.status != 401 {
		t.Errorf("OPTIONS without an origin: %d, want 401", got.status)
	}
}
