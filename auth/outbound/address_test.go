package outbound_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"switchboard/auth/outbound"
)

// dials reports whether a client comes to the point of connecting.
func dials(t *testing.T, client outbound.Client, address string) bool {
	t.Helper()
	dialed := false
	client.Dial = func(context.Context, string, string) (net.Conn, error) {
		dialed = true
		return nil, errors.New("far enough")
	}
	_, err := client.Get(t.Context(), address, nil, 1)
	if dialed == errors.Is(err, outbound.ErrRefused) {
		t.Errorf("%s: dialed %v, %v", address, dialed, err)
	}
	return dialed
}

func TestURLs(t *testing.T) {
	client := outbound.Client{Resolve: resolvesTo("93.184.216.34")}
	for address, want := range map[string]bool{
		"https://a.test":             true,
		"https://a.test/b?c":         true,
		"https://a.test:443/":        true,
		"https://a.test:8443/":       true,
		"https://a.test:65535/":      true,
		"HTTPS://a.test/":            true,
		"http://a.test/":             false,
		"ftp://a.test/":              false,
		"file:///etc/passwd":         false,
		"a.test":                     false,
		"//a.test/":                  false,
		"https:a.test":               false,
		"https:///path":              false,
		"https://:443/":              false,
		"https://a.test:/":           false,
		"https://a.test:0/":          false,
		"https://a.test:22/":         false,
		"https://a.test:65536/":      false,
		"https://a.test:x/":          false,
		"https://user@a.test/":       false,
		"https://user:pass@a.test/":  false,
		"https://@a.test/":           false,
		"https://a.test\r\nX: y/":    false,
		"https://[fe80::1%25eth0]/":  false,
		"https://a.test/ \x00":       false,
		"https://%31%32%37.0.0.1:1/": false, // decoded: 127.0.0.1, and the port
		"":                           false,
	} {
		if got := dials(t, client, address); got != want {
			t.Errorf("%q is called: %v, want %v", address, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.1":                         true,
		"93.184.216.34":                   true,
		"172.15.255.255":                  true,
		"172.32.0.0":                      true,
		"100.63.255.255":                  true,
		"100.128.0.0":                     true,
		"223.255.255.255":                 true,
		"0.0.0.0":                         false,
		"0.1.2.3":                         false,
		"10.1.2.3":                        false,
		"100.64.0.1":                      false,
		"100.100.100.200":                 false, // a cloud's metadata
		"127.0.0.1":                       false,
		"127.255.0.9":                     false,
		"168.63.129.16":                   false, // a cloud's metadata
		"169.254.169.254":                 false,
		"172.16.0.1":                      false,
		"172.31.255.255":                  false,
		"192.0.0.192":                     false,
		"192.0.2.1":                       false,
		"192.88.99.1":                     false,
		"192.168.1.1":                     false,
		"198.18.0.1":                      false,
		"198.51.100.1":                    false,
		"203.0.113.1":                     false,
		"224.0.0.1":                       false,
		"240.0.0.1":                       false,
		"255.255.255.255":                 false,
		"2606:4700:4700::1111":            true,
		"2001:4860:4860::8888":            true,
		"::":                              false,
		"::1":                             false,
		"::ffff:127.0.0.1":                false,
		"::ffff:10.0.0.1":                 false,
		"::ffff:169.254.169.254":          false,
		"::ffff:93.184.216.34":            true, // a resolver's way to write an IPv4 address
		"::127.0.0.1":                     false,
		"::ffff:0:127.0.0.1":              false,
		"64:ff9b::7f00:1":                 false,
		"64:ff9b::5db8:d822":              false,
		"64:ff9b:1::7f00:1":               false,
		"100::1":                          false,
		"2001::7f00:1":                    false, // Teredo
		"2001:db8::1":                     false,
		"2002:7f00:1::":                   false,
		"2002:a9fe:a9fe::1":               false,
		"3fff::1":                         false,
		"5f00::1":                         false,
		"fc00::1":                         false,
		"fd00:ec2::254":                   false, // a cloud's metadata
		"fe80::1":                         false,
		"fe80::1%eth0":                    false,
		"fec0::1":                         false,
		"ff02::1":                         false,
		"2606:4700:4700::1111%eth0":       false,
		"4000::1":                         false,
		"::ffff:ffff:ffff":                false,
		"2001:1ff:ffff:ffff:ffff:ffff::1": false,
		"2001:200::1":                     true,
	} {
		client := outbound.Client{Resolve: resolvesTo(address)}
		if got := dials(t, client, "https://name.test/"); got != want {
			t.Errorf("%s is called: %v, want %v", address, got, want)
		}
	}
}

// TestAddressesInURLs has the system's resolver read the spellings that some resolvers take for an address.
func TestAddressesInURLs(t *testing.T) {
	for _, host := range []string{
		"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "[64:ff9b::a9fe:a9fe]", "localhost", "localhost.",
		"0", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "[::]", "0.0.0.0",
	} {
		var client outbound.Client
		client.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
			t.Errorf("%s is called at %s", host, address)
			return nil, errors.New("too far")
		}
		if _, err := client.Get(t.Context(), "https://"+host+"/", nil, 1); err == nil {
			t.Errorf("%s: no error", host)
		}
	}
}

func TestAllow(t *testing.T) {
	client := outbound.Client{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}}
	for address, want := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "::ffff:10.1.2.3": true, "fd12::1": true, "127.0.0.1": false, "1.1.1.1": true,
	} {
		client.Resolve = resolvesTo(address)
		if got := dials(t, client, "https://inside.test/"); got != want {
			t.Errorf("%s is called: %v, want %v", address, got, want)
		}
	}
}
