package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOIDCConfig(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("very secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*oidcConfig)
		err    string
	}{
		{"domain", func(*oidcConfig) {}, ""},
		{"group", func(c *oidcConfig) { c.AllowedDomain, c.MemberGroup = nil, []string{"cn=a,ou=b"} }, ""},
		{"loopback", func(c *oidcConfig) { c.Issuer = "http://127.0.0.1:5556/dex" }, ""},
		{"capitals", func(c *oidcConfig) { c.AllowedDomain = []string{"Example.COM"} }, ""},
		{"public domain with a group", func(c *oidcConfig) { c.AllowedDomain, c.MemberGroup = []string{"gmail.com"}, []string{"a"} }, ""},
		{"one's own tenant", func(c *oidcConfig) { c.Issuer = "https://login.microsoftonline.com/0123-45/v2.0" }, ""},
		{"nothing at all", func(c *oidcConfig) { *c = oidcConfig{} }, ""},
		{"everybody", func(c *oidcConfig) { c.AllowedDomain = nil }, "could log in"},
		{"everybody, some as administrators", func(c *oidcConfig) { c.AllowedDomain, c.AdminGroup = nil, "a" }, "could log in"},
		{"public domain", func(c *oidcConfig) { c.AllowedDomain = []string{"Gmail.com"} }, "anybody can have an address"},
		{"every tenant", func(c *oidcConfig) { c.Issuer = "https://login.microsoftonline.com/common/v2.0" }, "your own tenant's"},
		{"plain http", func(c *oidcConfig) { c.Issuer = "http://login.example.com" }, "want https"},
		{"plain http, look-alike", func(c *oidcConfig) { c.Issuer = "http://localhost.evil.example" }, "want https"},
		{"no address", func(c *oidcConfig) { c.Issuer = "okta" }, "want an address"},
		{"query", func(c *oidcConfig) { c.Issuer = "https://login.example.com/?a=b" }, "want an address"},
		{"no client", func(c *oidcConfig) { c.ClientID = "" }, "--oidc-client-id is needed"},
		{"no secret", func(c *oidcConfig) { c.ClientSecretFile = "" }, "client secret is needed"},
		{"empty secret", func(c *oidcConfig) { c.ClientSecretFile = empty }, "client secret is needed"},
		{"no such file", func(c *oidcConfig) { c.ClientSecretFile = empty + "x" }, "no such file"},
		{"address for a domain", func(c *oidcConfig) { c.AllowedDomain = []string{"a@example.com"} }, "want a domain"},
		{"wildcard", func(c *oidcConfig) { c.AllowedDomain = []string{"*.example.com"} }, "want a domain"},
		{"top level", func(c *oidcConfig) { c.AllowedDomain = []string{"com"} }, "want a domain"},
		{"nameless group", func(c *oidcConfig) { c.MemberGroup = []string{""} }, "no name"},
		{"only, but nothing", func(c *oidcConfig) { *c = oidcConfig{Only: true} }, "--oidc-issuer is needed"},
		{"domain, but no issuer", func(c *oidcConfig) { c.Issuer = "" }, "--oidc-issuer is needed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := oidcConfig{
				Issuer: "https://login.example.com", ClientID: "switchboard", ClientSecretFile: secret,
				AllowedDomain: []string{"example.com"},
			}
			test.change(&c)
			err := c.complete()
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("complete() = %v, want %q", err, test.err)
			}
			if err == nil && c.Issuer != "" && (string(c.ClientSecret) != "very secret" || c.Name == "") {
				t.Errorf("got %+v", c)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v %v", c, c, c, err), "very secret") {
				t.Error("the secret prints")
			}
		})
	}
}

func TestOIDCSecretFromTheEnvironment(t *testing.T) {
	t.Setenv(secretVariable, "from the environment")
	c := oidcConfig{Issuer: "https://login.example.com", ClientID: "switchboard", MemberGroup: []string{"a"}}
	if err := c.complete(); err != nil || string(c.ClientSecret) != "from the environment" || c.Name != "login.example.com" {
		t.Errorf("got %q, %q, %v", string(c.ClientSecret), c.Name, err)
	}
	c.ClientSecretFile = "somewhere"
	if err := c.complete(); err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("both: %v", err)
	}
}
