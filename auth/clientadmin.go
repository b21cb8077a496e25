package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// KnownClient is a client as an administrator sees it.
type KnownClient struct {
	Client
	Grants     int        // as they are listed
	Used       bool       // anybody ever granted it anything
	LastUsedAt *time.Time // by anybody
	Problem    string     // with its document, at the last attempt
}

// ClientAdminStore is what administrators need of the store. Its errors match ErrNotFound and ErrUnavailable where they
// apply.
type ClientAdminStore interface {
	// Clients lists all clients, newest first, with how many grants Grants would list for each at now.
	Clients(ctx context.Context, now time.Time, most int) ([]KnownClient, error)
	// SetClientDisabled keeps since when a client is disabled; nil: it is not.
	SetClientDisabled(ctx context.Context, id string, at *time.Time) error
	// DeleteUnusedClient removes a client. ErrClientUsed: somebody granted it something, or it is part of Switchboard.
	DeleteUnusedClient(ctx context.Context, id string) error
}

// ErrClientUsed matches ErrInvalid.
var ErrClientUsed = &FieldError{"client", "has been used: disable it instead, so that the audit log still tells who it was"}

// Words says how a client came to be known.
func (k ClientKind) Words() string {
	switch k {
	case ClientDocument:
		return "known by its document"
	case ClientPredefined:
		return "added by an administrator"
	case ClientBuiltIn:
		return "part of Switchboard"
	}
	return "registered itself"
}

// RedirectHosts are where the client may have answers sent, each once.
func (c Client) RedirectHosts() []string {
	var hosts []string
	for _, uri := range c.RedirectURIs {
		if host := redirectHost(uri); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// MaxClients is how many clients are listed at most.
const MaxClients = 1000

// Clients lists the clients that are known, for administrators: the newest MaxClients of them.
func (o *OAuth) Clients(ctx context.Context, c Caller) ([]KnownClient, error) {
	if !c.Scopes.Has(ScopeManage) {
		return nil, &ScopeError{ScopeManage}
	}
	if c.Role != RoleAdmin {
		return nil, ErrForbidden
	}
	return o.Store.Clients(ctx, o.Now(), MaxClients)
}

// DisableClient keeps a client out at once, for everyone, or lets it in again; its grants are then as before.
// Administrators only.
func (o *OAuth) DisableClient(ctx context.Context, c Caller, id string, disable bool) error {
	action := "client.disable"
	if !disable {
		action = "client.enable"
	}
	if err := o.Accounts.administer(ctx, c, action, id, nil); err != nil {
		return err
	}
	var at *time.Time
	if disable {
		now := o.Now()
		at = &now
	}
	return o.Store.SetClientDisabled(ctx, id, at)
}

// RemoveClient forgets a client that nobody has used. Administrators only.
func (o *OAuth) RemoveClient(ctx context.Context, c Caller, id string) error {
	if err := o.Accounts.administer(ctx, c, "client.remove", id, nil); err != nil {
		return err
	}
	err := o.Store.DeleteUnusedClient(ctx, id)
	if errors.Is(err, ErrClientUsed) {
		return ErrClientUsed
	}
	return err
}

// NewClient is what an administrator asks for when he adds a client that cannot make itself known.
type NewClient struct {
	Name         string
	RedirectURIs []string
	WithSecret   bool
}

// AddClient adds a client. Its secret, if it has one, is returned this once; only its hash is kept. Administrators
// only.
func (o *OAuth) AddClient(ctx context.Context, c Caller, n NewClient) (Client, Secret, error) {
	if c.Scopes.Has(ScopeManage) && c.Role == RoleAdmin && !o.Accounts.isRecent(c.ProvedAt) {
		return Client{}, "", ErrProveAgain // whom the gate refuses, it tells
	}
	n.Name = strings.TrimSpace(n.Name)
	if err := n.check(); err != nil {
		return Client{}, "", err
	}
	client := Client{
		ID: rand.Text(), Kind: ClientPredefined, Name: n.Name, RedirectURIs: n.RedirectURIs, AuthMethod: authNone, CreatedAt: o.Now(),
		Metadata: ClientMetadata{
			ApplicationType: inferApplicationType(n.RedirectURIs), GrantTypes: []string{grantCode, grantRefresh},
		},
	}
	var secret Secret
	if n.WithSecret {
		secret = newSecret()
		client.AuthMethod, client.SecretHash = authSecret, secret.hash()
	}
	detail := map[string]string{"name": n.Name, "redirects": fmt.Sprint(n.RedirectURIs), "authentication": client.AuthMethod}
	if err := o.Accounts.administer(ctx, c, "client.add", client.ID, detail); err != nil {
		return Client{}, "", err
	}
	return client, secret, o.Store.InsertClient(ctx, client)
}

func (n NewClient) check() error {
	switch {
	case n.Name == "":
		return &FieldError{"name", "is missing: people are shown it when the client asks them"}
	case !plainText(n.Name, maxClientName):
		return &FieldError{"name", fmt.Sprintf("must be at most %d characters, without control or invisible ones", maxClientName)}
	case len(n.RedirectURIs) == 0:
		return &FieldError{"redirect address", "is missing: the client's documentation names it"}
	case len(n.RedirectURIs) > maxRedirectURIs:
		return &FieldError{"redirect addresses", fmt.Sprintf("are more than %d", maxRedirectURIs)}
	}
	for i, uri := range n.RedirectURIs {
		if problem := checkRedirectURI(uri, applicationNative); problem != "" {
			return &FieldError{fmt.Sprintf("redirect address %d", i+1), problem}
		}
	}
	return nil
}
