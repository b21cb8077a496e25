package main

import (
	"crypto/x509"
	"fmt"
	"os"

	"switchboard/auth/outbound"
)

// outbound makes the client for addresses that strangers name.
func (c *config) outbound() (*outbound.Client, error) {
	client := &outbound.Client{Allow: c.OutboundAllow}
	if c.OutboundCA == "" {
		return client, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the system's certificates: %w", err)
	}
	text, err := os.ReadFile(c.OutboundCA)
	if err != nil {
		return nil, fmt.Errorf("--outbound-ca: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--outbound-ca %s: there is no PEM certificate in it", c.OutboundCA)
	}
	client.Roots = roots
	return client, nil
}
