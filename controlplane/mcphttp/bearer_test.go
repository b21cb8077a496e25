package mcphttp

import (
	"net/http"
	"strings"
	"testing"
)

func TestBearer(t *testing.T) {
	e := start(t, nil)
	plain := `Bearer resource_metadata="` + e.url + `/.well-known/oauth-protected-resource/mcp", scope="sessions:read sessions:write"`
	invalid := plain + `, error="invalid_token", error_description="the access token is not valid, or no longer"`
	without := func(r *http.Request) { r.Header.Del("Authorization") }
	tests := []struct {
		name      string
		change    func(*http.Request)
		status    int
		challenge string
	}{
		{"good", nil, 200, ""},
		{"scheme in another case", header("Authorization", "bEARER alice-token"), 200, ""},
		{"none", without, 401, plain},
		{"other scheme", header("Authorization", "Basic YTpi"), 401, plain},
		{"blank", header("Authorization", "Bearer "), 401, plain},
		{"in the query", func(r *http.Request) { without(r); r.URL.RawQuery = "access_token=alice-token" }, 401, plain},
		{"unknown", bearer("nobody"), 401, invalid},
		{"malformed", bearer("alice token"), 401, invalid},
		{"too long", bearer(strings.Repeat("a", 64<<10)), 401, invalid},
		{"two headers", func(r *http.Request) {
			r.Header["Authorization"] = []string{"Bearer alice-token", "Bearer bob-token"}
		}, 400, plain + `, error="invalid_request", error_description="send one Authorization header"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, method := range []string{"POST", "GET", "DELETE", "PUT"} {
				body := ""
				if method == "POST" {
					body = callTool("who")
				}
				got := e.send(t, e.request(t, method, body, test.change))
				if test.status == 200 && method != "POST" {
					continue
				}
				if got.status != test.status || got.header.Get("WWW-Authenticate") != test.challenge {
					t.Errorf("%s: got %d %q\nwant %d %q", method, got.status, got.header.Get("WWW-Authenticate"), test.status, test.challenge)
				}
			}
		})
	}
	if strings.Contains(e.log.String(), "alice-token") {
		t.Error("a token is in the log")
	}
}
