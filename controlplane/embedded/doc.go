// Package embedded runs the two servers that the control plane needs when none are configured: a private
// PostgreSQL from the machine's installed binaries, as a child on a Unix socket, and NATS inside this process,
// without a port. The rest of the control plane cannot tell them from real servers.
package embedded
