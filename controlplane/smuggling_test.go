package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// TestSmuggling sends requests that two servers, one behind the other, may read differently. Ours refuses them, or reads
// them in the one way that the standard has (RFC 9112 section 6), and what follows is nobody's.
func TestSmuggling(t *testing.T) {
	s := newSite(t)
	host := strings.TrimPrefix(s.url, "http://")
	known := s.attackers(t)[1]
	hidden := "GET /account HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	post := func(header, body string) string {
		return "POST /token HTTP/1.1\r\nHost: " + host + "\r\n" + known.header +
			"Content-Type: application/x-www-form-urlencoded\r\n" + header + "\r\n" + body
	}
	get := func(target, header string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + header + "\r\n"
	}
	for _, test := range []struct {
		name, raw string
		want      []int // of the answers, until the connection ends
	}{
		// The hidden request stands by itself: it has neither cookie nor token of the first, and so leads to the login.
		{"both lengths, the chunks count", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden), []int{400, 303}},
		{"two lengths", post("Content-Length: 3\r\nContent-Length: 50\r\n", "a=b"+hidden), []int{400}},
		{"a list of lengths", post("Content-Length: 3, 50\r\n", "a=b"+hidden), []int{400}},
		{"a length with a sign", post("Content-Length: +3\r\n", "a=b"+hidden), []int{400}},
		{"a negative length", post("Content-Length: -1\r\n", "a=b"+hidden), []int{400}},
		{"a length with a space before the colon", post("Content-Length : 3\r\n", "a=b"+hidden), []int{400}},
		{"an unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+hidden), []int{501}},
		{"two codings", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"+hidden), []int{501}},
		{"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"+hidden), []int{501}},
		{"a coding behind a vertical tab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"+hidden), []int{400}},
		{"a bad chunk size", post("Transfer-Encoding: chunked\r\n", "zz\r\na=b\r\n0\r\n\r\n"+hidden), []int{400}},
		{"a chunk size that overflows", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\na=b\r\n0\r\n\r\n"+hidden), []int{400}},
		{"chunks in HTTP/1.0", "POST /token HTTP/1.0\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, []int{415}},
		{"a folded header", get("/account", "X-One: a\r\n folded: b\r\n"), []int{303}},
		{"a folded length", post("Content-Length:\r\n 3\r\n", "a=b"), []int{400}},
		{"no host", "GET /account HTTP/1.1\r\n\r\n", []int{400}},
		{"two hosts", get("/account", "Host: evil.example\r\n"), []int{400}},
		{"a NUL in a header", get("/account", "X-One: a\x00b\r\n"), []int{400}},
		{"a lone CR in a header", get("/account", "X-One: a\rX-Two: b\r\n"), []int{400}},
		{"no version", "GET /account\r\n\r\n", []int{400}},
		{"another protocol", "GET /account HTTP/9.9\r\nHost: " + host + "\r\n\r\n", []int{505}},
		{"an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}},
		{"a header of 128 KiB", get("/account", "X-One: "+strings.Repeat("a", 128<<10)+"\r\n"), []int{431}},
		{"a million headers", get("/account", strings.Repeat("A: b\r\n", 1_000_000)), []int{431}},
		{"an address of 128 KiB", get("/"+strings.Repeat("a", 128<<10), ""), []int{431}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []int
			for _, answer := range s.attack(t, test.raw, len(test.want)+1, true) {
				got = append(got, answer.status)
				if answer.status == http.StatusSeeOther && !strings.HasPrefix(answer.header.Get("Location"), "/login") {
					t.Errorf("what followed led to %s", answer.header.Get("Location"))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("answers %v, want %v", got, test.want)
			}
		})
	}
}

// TestForeignAddressInTheRequest names another server in every way in which a request can. What we say of ourselves
// comes from the configuration.
func TestForeignAddressInTheRequest(t *testing.T) {
	s := newSite(t)
	host := strings.TrimPrefix(s.url, "http://")
	for _, test := range []struct{ name, raw string }{
		{"host", "GET %s HTTP/1.1\r\nHost: evil.example\r\n"},
		{"absolute form", "GET http://evil.example%s HTTP/1.1\r\nHost: " + host + "\r\n"},
		{"absolute form, other scheme", "GET https://evil.example%s HTTP/1.1\r\nHost: evil.example\r\n"},
		{"forwarded", "GET %s HTTP/1.1\r\nHost: " + host + "\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example;proto=https\r\n"},
		{"HTTP/1.0", "GET %s HTTP/1.0\r\nHost: evil.example\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{
				"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
				"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/mcp", "/login", "/account", "/",
			} {
				for _, answer := range s.attack(t, fmt.Sprintf(test.raw, path)+"Connection: close\r\n\r\n", 1, true) {
					for name, values := range answer.header {
						if strings.Contains(strings.Join(values, " "), "evil.example") {
							t.Errorf("%s: %s: %s", path, name, values)
						}
					}
					if strings.Contains(answer.body, "evil.example") {
						t.Errorf("%s answers %s", path, answer.body)
					}
				}
			}
		})
	}
}

// TestBombs sends bodies that are far larger than they look, or that never end, to whatever reads one before it knows
// who asks.
func TestBombs(t *testing.T) {
	s := newSite(t)
	host := strings.TrimPrefix(s.url, "http://")
	known := s.attackers(t)[1]
	var bomb bytes.Buffer
	squeezer := gzip.NewWriter(&bomb)
	for range 64 {
		if _, err := squeezer.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := squeezer.Close(); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{
		"/mcp": "application/json", "/register": "application/json", "/enroll": "application/json", "/token": "application/x-www-form-urlencoded",
		"/revoke": "application/x-www-form-urlencoded", "/device_authorization": "application/x-www-form-urlencoded", "/login": "application/x-www-form-urlencoded",
	}
	for path, kind := range kinds {
		t.Run(path, func(t *testing.T) {
			head := "POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + known.header + "Accept: */*\r\nContent-Type: " + kind + "\r\n"
			for _, test := range []struct{ name, raw string }{
				{"compressed", head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.Bytes())},
				{"long", head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 10<<30, strings.Repeat("a", 8<<20))},
				{"without an end", head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("a", 0x10000)+"\r\n", 128)},
			} {
				before := allocated()
				answers := s.attack(t, test.raw, 1, false)
				if used := allocated() - before; used > 48<<20 {
					t.Errorf("%s: %d MiB were allocated", test.name, used>>20)
				}
				if len(answers) != 1 || answers[0].status < 400 || answers[0].status >= 500 {
					t.Errorf("%s: answers %v", test.name, answers)
				}
			}
		})
	}
}

// allocated is how much memory was ever asked for, by this process, in which the server runs too.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
