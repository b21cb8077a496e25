package main

import (
	"context"
	"fmt"
	"io"

	"switchboard/auth"
)

// announce tells whoever started the control plane how to reach it, and how to become its first administrator.
func (p *plane) announce(ctx context.Context, out io.Writer) error {
	link, needed, err := p.accounts.SetupLink(ctx)
	if err != nil {
		return fmt.Errorf("first administrator: %w", err)
	}
	// The first administrator may have got his account and not his hosts, if the control plane stopped in between.
	if err := p.fleet.AdoptHosts(ctx, ""); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nSwitchboard %s is running.\n\n", version)
	fmt.Fprintf(out, "MCP URL:             %s%s\n", p.config.PublicURL, auth.ResourcePath)
	fmt.Fprintf(out, "Web:                 %s/\n", p.config.PublicURL)
	if needed {
		fmt.Fprintf(out, "First administrator: %s\n", link)
	}
	fmt.Fprint(out, "\nCtrl-C stops it; sessions go on.\n\n")
	return nil
}
