package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
)

// authorization runs the scenarios of authorization servers. They print an address for a browser; ours logs in and
// allows it.
func (s suites) authorization(ctx context.Context) error {
	redirect, err := url.Parse(s.client.Redirect)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.options.Node, s.options.Newest, "authorization",
		"--url", s.client.Server.Issuer, "--client-id", s.client.ClientID, "--resource", s.client.MCP,
		"-p", redirect.Port(), "-o", filepath.Join(s.results, "authorization"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	said, visit := s.watch(ctx, out)
	if err := errors.Join(visit, cmd.Wait()); err != nil {
		return fmt.Errorf("authorization: %w\n%s", err, said)
	}
	return s.summarize("authorization", nil)
}

// watch reads what the suite says, and opens the address that it prints.
func (s suites) watch(ctx context.Context, out io.Reader) (said string, err error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said += lines.Text() + "\n"
		address := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(address, s.client.Server.Authorization+"?") {
			err = errors.Join(err, s.client.Browser.Deliver(ctx, address, s.client.Redirect))
		}
	}
	return said, errors.Join(err, lines.Err())
}
