package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// attemptTimeout is how long one of a name's addresses may take to answer before the next is tried.
const attemptTimeout = 2 * time.Second

// dial resolves a name once and connects to what was checked, so that a name that answers differently the next time
// (DNS rebinding) leads nowhere else.
func (c *Client) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	// The transport dials on for others when its request has given up; there are no others.
	ctx, done := context.WithTimeout(ctx, Timeout)
	defer done()
	addresses, err := c.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, address := range addresses {
		conn, err := c.connect(ctx, network, net.JoinHostPort(address.String(), port))
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// addresses are those of a name's that may be called. There is at least one, or an error.
func (c *Client) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var allowed []netip.Addr
	for _, address := range all {
		address = address.Unmap()
		if c.allows(address) {
			allowed = append(allowed, address)
		}
	}
	if len(allowed) == 0 {
		return nil, fmt.Errorf("%w: %s has no public address (of %d)", ErrRefused, host, len(all))
	}
	return allowed, nil
}

func (c *Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	if c.Resolve != nil {
		return c.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func (c *Client) connect(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, done := context.WithTimeout(ctx, attemptTimeout)
	defer done()
	if c.Dial != nil {
		return c.Dial(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
