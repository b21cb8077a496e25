package auth

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
)

func FuzzMatchesRedirect(f *testing.F) {
	for _, pair := range [][2]string{
		{"http://localhost/cb", "http://localhost:3118/cb"},
		{"http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"},
		{"http://[::1]/", "http://[::1]:80/"},
		{"https://app.example/cb", "https://app.example@evil.tld/cb"},
		{"http://localhost/cb", "http://localhost:1@evil.tld/cb"},
		{"http://localhost", "http://localhost:80?x"},
		{"http://localhost/callback", "http://localhost.evil.tld:80/callback"},
		{"http://localhost/callback", "http://LOCALHOST:80/callback"},
		{"http://127.0.0.1/callback", "http://0x7f.1:80/callback"},
		{"http://127.0.0.1/callback", "http://a@127.0.0.1:80/callback"},
		{"http://127.0.0.1/callback", "http://127.0.0.1:080/callback"},
		{"http://127.0.0.1/callback", "http://127.0.0.1:65536/callback"},
		{"http://127.0.0.1/callback", "http://127.0.0.1:80/../callback"},
		{"http://[::1]/callback", "http://[::1%25lo]:80/callback"},
		{"http://[::1]/callback", "http://[::ffff:127.0.0.1]:80/callback"},
		{"http://127.0.0.1:33418/", "http://127.0.0.1:33418"},
		{"https://vscode.dev/redirect", "https://vscode.dev:443/redirect"},
		{"cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp:80/oauth/callback"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, registered, requested string) {
		if !matchesRedirect([]string{registered}, requested) || registered == requested {
			return
		}
		// What matches without being equal leads to the same loopback host, path and query.
		one, err := url.Parse(registered)
		if err != nil {
			return // it could not have been registered
		}
		two, err := url.Parse(requested)
		if err != nil {
			t.Fatalf("%q matches %q but cannot be parsed", requested, registered)
		}
		if one.Hostname() != two.Hostname() || one.RequestURI() != two.RequestURI() || two.User != nil || two.Scheme != "http" {
			t.Errorf("%q matches %q", requested, registered)
		}
		switch two.Hostname() {
		case "localhost", "127.0.0.1", "::1":
		default:
			t.Errorf("%q is not loopback", requested)
		}
	})
}

func FuzzParseBearer(f *testing.F) {
	for _, header := range []string{"Bearer abc", "bearer  x ", "Bearer", "Basic x", "Bearer a b", "Bearer \x00", "\xff"} {
		f.Add(header)
	}
	o := &OAuth{Secret: bytes.Repeat([]byte("k"), 32)}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := ParseBearer([]string{header})
		if (err == nil) == (token == "") {
			t.Errorf("%q: token %d bytes, %v", header, len(token), err)
		}
		if strings.ContainsAny(string(token), " \t\r\n\x00,") {
			t.Errorf("%q: token %q", header, string(token))
		}
		for _, kind := range []TokenKind{KindCode, KindAccess, KindRefresh, KindPersonal, KindDevice} {
			if _, ok := o.tokens().verify(kind, token); ok {
				t.Errorf("%q was not made here", header)
			}
		}
	})
}

func FuzzParseUserCode(f *testing.F) {
	for _, typed := range []string{
		"BCDF-GHJK", "bcdfghjk", " b c d f\u2011ghjk ", "ABCD-EFGH", "BCDF-GHJ", "BCDF-GHJKL", "", "--------", "\xff", "ＢＣＤＦ-GHJK", "ſſſſſſſſ",
	} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := ParseUserCode(typed)
		if ok != (code != "") {
			t.Errorf("%q reads as %q, %v", typed, code, ok)
		}
		if !ok {
			return
		}
		if len(code) != userCodeLength || strings.Trim(code, userCodeLetters) != "" {
			t.Errorf("%q reads as %q", typed, code)
		}
		for _, again := range []string{code, FormatUserCode(code), strings.ToLower(FormatUserCode(code))} {
			if got, ok := ParseUserCode(again); !ok || got != code {
				t.Errorf("%q reads as %q, %v; want %q", again, got, ok, code)
			}
		}
	})
}

func TestNewUserCodesAreFairAndReadable(t *testing.T) {
	seen := map[rune]int{}
	const codes = 5000
	for range codes {
		code := newUserCode()
		if parsed, ok := ParseUserCode(FormatUserCode(code)); !ok || parsed != code {
			t.Fatalf("%q cannot be typed", code)
		}
		for _, letter := range code {
			seen[letter]++
		}
	}
	// Each letter is drawn 2000 times on average, with a deviation of 44; seven of these never happen.
	for _, letter := range userCodeLetters {
		if n := seen[letter]; n < 1700 || n > 2300 {
			t.Errorf("%c was drawn %d times of %d", letter, n, codes*userCodeLength)
		}
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, wish := range []string{"/hosts", "//evil", `/\evil`, "/authorize?x=%2F", "/%2e%2e/x"} {
		f.Add(wish)
	}
	f.Fuzz(func(t *testing.T, wish string) {
		base, _ := url.Parse("https://sb.example/login")
		led, err := base.Parse(ReturnTo(wish))
		if err != nil || led.Host != base.Host || led.Scheme != base.Scheme {
			t.Errorf("%q leads to %v, %v", wish, led, err)
		}
	})
}

func FuzzCheckRedirectURI(f *testing.F) {
	for _, uri := range []string{"https://a/b", "http://localhost/", "com.example.app:/x", "javascript:alert(1)", "https://a@b/"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if checkRedirectURI(uri, applicationNative) != "" {
			return
		}
		led := withParameters(uri, url.Values{"code": {"x"}})
		if !strings.HasPrefix(led, uri) || strings.ContainsAny(led, "\r\n #") {
			t.Errorf("%q leads to %q", uri, led)
		}
		u, err := url.Parse(led)
		if err != nil || u.Query().Get("code") != "x" || u.User != nil {
			t.Errorf("%q leads to %q: %v", uri, led, err)
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	secret := newSecret()
	for _, printed := range []string{secret.String(), secret.GoString(), secret.LogValue().String()} {
		if printed != redacted {
			t.Errorf("printed %q", printed)
		}
	}
}

func TestPasswordHash(t *testing.T) {
	var p passwords
	hash, err := p.hash(t.Context(), "correct horse battery")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=1,p=2$") {
		t.Fatalf("got %q, %v", hash, err)
	}
	for password, want := range map[Secret]bool{"correct horse battery": true, "correct horse": false, "": false} {
		if got, err := p.verify(t.Context(), hash, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", string(password), got, err)
		}
	}
	for _, broken := range []string{"x", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=19$m=1,t=0,p=1$AA$AA", "$argon2id$v=19$m=1,t=1,p=1$!$AA"} {
		if ok, err := p.verify(t.Context(), broken, "x"); ok || err == nil {
			t.Errorf("%q: %v, %v", broken, ok, err)
		}
	}
	if ok, err := p.verify(t.Context(), "", ""); ok || err != nil {
		t.Errorf("no account: %v, %v", ok, err)
	}
}
