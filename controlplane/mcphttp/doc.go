// Package mcphttp is what stands in front of mcp-go at /mcp. Mcp-go v1.2.1 speaks both eras of the protocol well
// but checks no origin, no size, no token and no owner of a session; all of that is done here, before a byte of
// a request reaches it. The Caller that comes out of it travels to the tools in the request's context, and only
// there.
package mcphttp
