// Package outbound calls addresses that strangers name: the metadata documents of OAuth clients, webhooks. It goes
// to the public internet over https, and nowhere else unless the operator allows it, so that nobody can use the
// control plane to reach what only the control plane reaches.
package outbound
