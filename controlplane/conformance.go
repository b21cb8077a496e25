//go:build conformance

package main

import (
	"switchboard/controlplane/e2e/fixtures"
	"switchboard/controlplane/mcphttp"
)

// addFixtures makes of this a control plane for `make conformance`.
func addFixtures(c *mcphttp.Config) { fixtures.Add(c.MCP) }
