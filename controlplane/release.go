//go:build !conformance

package main

import "switchboard/controlplane/mcphttp"

// addFixtures does nothing: only a control plane built with the tag "conformance" has what the conformance suite calls.
func addFixtures(*mcphttp.Config) {}
