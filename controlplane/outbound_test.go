package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutbound calls a server in the operator's own network whose certificate only the operator knows.
func TestOutbound(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	dir := t.TempDir()
	ca, empty := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "empty.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for file, content := range map[string][]byte{ca: text, empty: []byte("nothing")} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, test := range []struct {
		name   string
		config config
		err    string
	}{
		{"allowed and vouched for", config{OutboundAllow: loopback, OutboundCA: ca}, ""},
		{"not allowed", config{OutboundCA: ca}, "may not be called"},
		{"not vouched for", config{OutboundAllow: loopback}, "unknown authority"},
		{"no such file", config{OutboundCA: filepath.Join(dir, "none.pem")}, "--outbound-ca: open"},
		{"no certificate", config{OutboundCA: empty}, "no PEM certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := test.config.outbound()
			if err == nil {
				_, err = client.Get(t.Context(), server.URL, nil, 100)
			}
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got %v, want %q", err, test.err)
			}
		})
	}
}
