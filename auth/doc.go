// Package auth says who is asking and lets clients in: accounts and their web logins, and the OAuth 2.1
// authorization server (fosite, held to PKCE S256, single use and a bound audience). One file per endpoint and
// one per grant. It knows nothing of hosts and sessions, and it has no SQL: Store is implemented by
// controlplane/postgres.
package auth
