package outbound

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
)

// CheckURL reports whether an address could be called, as far as its text tells: https, a host, no user
// information, and port 443 or one that no other system service has (1024 and above).
func CheckURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("%w: it is not a URL", ErrRefused) // err would repeat the address, which may hold a password
	case u.Scheme != "https":
		return fmt.Errorf("%w: it does not begin with https://", ErrRefused)
	case u.Opaque != "" || u.Hostname() == "":
		return fmt.Errorf("%w: it has no host", ErrRefused)
	case u.User != nil:
		return fmt.Errorf("%w: it has user information", ErrRefused)
	case !portAllowed(u):
		return fmt.Errorf("%w: its port is neither 443 nor 1024 to 65535", ErrRefused)
	}
	return nil
}

func portAllowed(u *url.URL) bool {
	if u.Port() == "" {
		return u.Host[len(u.Host)-1] != ':'
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && (port == 443 || port >= 1024)
}

// allows reports whether an address may be called: it is public, or the operator allows it.
func (c *Client) allows(address netip.Addr) bool {
	within := func(p netip.Prefix) bool { return p.Contains(address) }
	if address.Zone() != "" {
		return false // a zone is for addresses of this network
	}
	if slices.ContainsFunc(c.Allow, within) {
		return true
	}
	if address.Is6() && !globalUnicast.Contains(address) {
		return false
	}
	return !slices.ContainsFunc(notPublic(), within)
}

// globalUnicast is what of IPv6 is given out at all. Outside are loopback, link-local, unique local and multicast
// addresses, those that carry an IPv4 address (mapped, compatible, NAT64), and what nobody has been given.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// notPublic are the addresses that are not for everyone, or lead on to others
// (https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry).
func notPublic() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),        // this network
		netip.MustParsePrefix("10.0.0.0/8"),       // private
		netip.MustParsePrefix("100.64.0.0/10"),    // shared by a provider's customers; a cloud's metadata
		netip.MustParsePrefix("127.0.0.0/8"),      // loopback
		netip.MustParsePrefix("168.63.129.16/32"), // a cloud's metadata, at a public address
		netip.MustParsePrefix("169.254.0.0/16"),   // link-local; clouds' metadata
		netip.MustParsePrefix("172.16.0.0/12"),    // private
		netip.MustParsePrefix("192.0.0.0/24"),     // protocols; a cloud's metadata
		netip.MustParsePrefix("192.0.2.0/24"),     // documentation
		netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
		netip.MustParsePrefix("192.168.0.0/16"),   // private
		netip.MustParsePrefix("198.18.0.0/15"),    // measuring
		netip.MustParsePrefix("198.51.100.0/24"),  // documentation
		netip.MustParsePrefix("203.0.113.0/24"),   // documentation
		netip.MustParsePrefix("224.0.0.0/3"),      // multicast, reserved, broadcast
		netip.MustParsePrefix("2001::/23"),        // protocols, Teredo among them
		netip.MustParsePrefix("2001:db8::/32"),    // documentation
		netip.MustParsePrefix("2002::/16"),        // 6to4: carries an IPv4 address
		netip.MustParsePrefix("3fff::/20"),        // documentation
	}
}
