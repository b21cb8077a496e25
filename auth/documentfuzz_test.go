package auth

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/auth/outbound"
)

func TestCheckDocumentID(t *testing.T) {
	for id, want := range map[string]string{
		"https://chatgpt.com/oauth/client.json":           "",
		"https://claude.ai/oauth/claude-code-client":      "",
		"https://app.example/a/b/":                        "",
		"https://app.example:8443/a":                      "",
		"https://app.example/a?b=c":                       "",
		"https://app.example/%41":                         "",
		"https://xn--pple-43d.com/a":                      "",
		"https://[2606:4700::1]/a":                        "",
		"http://app.example/a":                            "begin with https",
		"HTTPS://app.example/a":                           "begin with https",
		"urn:example:a":                                   "begin with https",
		"https://app.example":                             "no path",
		"https://app.example/":                            "no path",
		"https://app.example?a=/b":                        "no valid host",
		"https:///a":                                      "no valid host",
		"https://App.example/a":                           "lower case",
		"https://app.example./a":                          "no valid host",
		"https://%61pp.example/a":                         "is not an address",
		"https://app.example;x/a":                         "no valid host",
		"https://a@app.example/a":                         "user information",
		"https://:@app.example/a":                         "user information",
		"https://app.example%40evil.tld/a":                "user information",
		"https://app.example/a#":                          "fragment",
		"https://app.example/a#b":                         "fragment",
		"https://app.example/./a":                         "dot segments",
		"https://app.example/a/..":                        "dot segments",
		"https://app.example/a/%2e%2E/b":                  "dot segments",
		"https://app.example//a":                          "empty segments",
		"https://app.example/a//":                         "empty segments",
		"https://app.example/a%2fb":                       "encoded slashes",
		"https://app.example/%zz":                         "not an address",
		"https://app.example:0/a":                         "port",
		"https://app.example:22/a":                        "port",
		"https://app.example:99999/a":                     "port",
		"https://app.example/a b":                         "character",
		"https://app.example/\u00fc":                      "character",
		`https://app.example\@evil.tld/a`:                 "character",
		"https://app.example/a\r\n":                       "character",
		"https://app.example/" + strings.Repeat("a", 500): "too long",
	} {
		if got := checkDocumentID(id); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q %q, want %q", id, got, want)
		}
	}
}

func TestDocumentLife(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, cacheControl, expires string
		want                        time.Duration
	}{
		{"nothing said", "", "", 5 * time.Minute},
		{"an hour", "public, max-age=3600", "", time.Hour},
		{"quoted, in capitals", `Max-Age="3600"`, "", time.Hour},
		{"at once", "max-age=0", "", 5 * time.Minute},
		{"a year", "max-age=31536000, immutable", "", 24 * time.Hour},
		{"not at all", "no-store, max-age=3600", "", 5 * time.Minute},
		{"only after asking", "max-age=3600, no-cache", "", 5 * time.Minute},
		{"a negative time", "max-age=-1", "", 5 * time.Minute},
		{"a number without end", "max-age=" + strings.Repeat("9", 100), "", 5 * time.Minute},
		{"until", "", "Sat, 21 Nov 2026 14:00:00 GMT", 2 * time.Hour},
		{"until, but less", "max-age=600", "Sat, 21 Nov 2026 14:00:00 GMT", 10 * time.Minute},
		{"until long ago", "", "Thu, 01 Jan 1970 00:00:00 GMT", 5 * time.Minute},
		{"until nonsense", "", "0", 5 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Cache-Control": {test.cacheControl}, "Expires": {test.expires}}
			if got := documentLife(outbound.Response{Header: header}, now); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func FuzzCheckDocumentID(f *testing.F) {
	for _, id := range []string{
		"https://chatgpt.com/oauth/client.json", "https://app.example:8443/a?b", "https://app.example/%2e%2e/a",
		"https://app.example%40evil.tld/a", "https://[::1]/a", "https://a@b/c", `https://a\b/c`, "https://a/b#c", "https://a:/b",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if checkDocumentID(id) != "" {
			return
		}
		u, err := url.Parse(id)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || len(u.Path) < 2 || !plainHost.MatchString(u.Host) {
			t.Fatalf("%q is an id: %v", id, err)
		}
		if again := "https://" + u.Host + u.EscapedPath(); !strings.HasPrefix(id, again) {
			t.Errorf("%q is asked for as %q", id, again)
		}
		if u.JoinPath().Path != u.Path || outbound.CheckURL(id) != nil || documentHost(id) != u.Host {
			t.Errorf("%q is an id", id)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/documents/*.json")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, fixture := range fixtures {
		text, err := os.ReadFile(fixture)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{`{}`, `[]`, `null`, `{"client_id":"https://app.example/c","client_name":"x","redirect_uris":["https://a/b"]}`,
		`{"client_id":1}`, `{"client_id":"https://app.example/c","client_secret":null}`, "\xef\xbb\xbf{}"} {
		f.Add([]byte(text))
	}
	const id = "https://app.example/c"
	f.Fuzz(func(t *testing.T, text []byte) {
		client, err := parseDocument(id, text, time.Unix(0, 0))
		if err != nil {
			if !plainText(err.Error(), 1000) {
				t.Errorf("error %q", err)
			}
			return
		}
		if client.ID != id || client.Kind != ClientDocument || client.AuthMethod != authNone || client.SecretHash != nil || len(client.RedirectURIs) == 0 ||
			!plainText(client.Name, maxClientName) || client.Name == "" {
			t.Errorf("client %+v", client)
		}
		for _, uri := range client.RedirectURIs {
			if checkRedirectURI(uri, client.Metadata.ApplicationType) != "" {
				t.Errorf("redirect %q", uri)
			}
		}
	})
}
