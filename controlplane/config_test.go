package main

import (
	"strings"
	"testing"
)

func TestConfigComplete(t *testing.T) {
	for _, test := range []struct {
		name   string
		config config
		want   string // the public URL
		err    string
	}{
		{"loopback", config{Listen: "127.0.0.1:8420"}, "http://127.0.0.1:8420", ""},
		{"IPv6 loopback", config{Listen: "[::1]:8420"}, "http://[::1]:8420", ""},
		{"TLS", config{Listen: "localhost:8443", TLSCert: "c", TLSKey: "k"}, "https://localhost:8443", ""},
		{"public", config{Listen: ":8420", PublicURL: "https://a.example/"}, "https://a.example", ""},
		{"open without a public address", config{Listen: ":8420"}, "", "--public-url is needed"},
		{"plain http for everybody", config{Listen: ":80", PublicURL: "http://a.example"}, "", "loopback only"},
		{"plain http, look-alike", config{Listen: ":80", PublicURL: "http://localhost.evil.example"}, "", "loopback only"},
		{"path", config{Listen: ":80", PublicURL: "https://a.example/x"}, "", "scheme and host only"},
		{"userinfo", config{Listen: ":80", PublicURL: "https://a@b.example"}, "", "scheme and host only"},
		{"other scheme", config{Listen: ":80", PublicURL: "ftp://a.example"}, "", "want https"},
		{"no port", config{Listen: "127.0.0.1"}, "", "want host:port"},
		{"negative rate", config{Listen: "127.0.0.1:1", Rate: -1}, "", "--rate -1: want 0"},
		{"metadata hosts", config{Listen: "127.0.0.1:1", ClientMetadataHosts: []string{"chatgpt.com", "a.example:8443"}}, "http://127.0.0.1:1", ""},
		{"metadata host with a scheme", config{Listen: "127.0.0.1:1", ClientMetadataHosts: []string{"https://a.example"}}, "", "want a host"},
		{"metadata host in upper case", config{Listen: "127.0.0.1:1", ClientMetadataHosts: []string{"A.example"}}, "", "want a host"},
		{"half of TLS", config{Listen: "127.0.0.1:1", TLSCert: "c"}, "", "go together"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.complete()
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("complete() = %v, want %q", err, test.err)
			}
			if err == nil && test.config.PublicURL != test.want {
				t.Errorf("public URL %q, want %q", test.config.PublicURL, test.want)
			}
		})
	}
}
