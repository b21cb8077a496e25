package auth

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

	"switchboard/auth/audit"
	"switchboard/auth/outbound"
)

// OAuth is the authorization server, and the check of its tokens. Its exported fields are set once, before use.
// Each endpoint is a handler that answers every method itself.
type OAuth struct {
	Store     OAuthStore
	Accounts  *Accounts // tells who is at the browser
	Audit     audit.Recorder
	Pages     Pages
	PublicURL string // the issuer: scheme and host, without a path or a trailing slash
	Now       func() time.Time
	Log       *slog.Logger

	// Secret (32 random bytes) makes and checks tokens. Whoever has it and the database can make tokens, so it is
	// kept outside of the database. OldSecrets still check those made before it was changed.
	Secret     []byte
	OldSecrets [][]byte

	// Changes are what tokens are remembered by; until it is told of changes, each is looked up on every call.
	Changes Changes
	// Outbound fetches the documents that describe clients; DocumentHosts are those whose documents are admitted,
	// with their port if it is written in the client's id. Empty: any.
	Outbound      *outbound.Client
	DocumentHosts []string

	registrations Limiter
	devices       Limiter
	fetches       Limiter
	documents     singleflight.Group
}

// Where the endpoints are; PublicURL comes before.
const (
	AuthorizePath = "/authorize"
	TokenPath     = "/token"
	RegisterPath  = "/register"
	RevokePath    = "/revoke"
	ResourcePath  = "/mcp" // what all tokens are for

	DeviceAuthorizationPath = "/device_authorization"
	DevicePath              = "/device" // the page where a person types a device's code

	ServerMetadataPath   = "/.well-known/oauth-authorization-server"
	OpenIDMetadataPath   = "/.well-known/openid-configuration"
	ResourceMetadataPath = "/.well-known/oauth-protected-resource" // and the same with ResourcePath behind it
)

// How long codes and tokens live. A refresh token is replaced at each use, and its grant ends after refreshLife
// however often it is used.
const (
	codeLife    = time.Minute
	accessLife  = 30 * time.Minute
	refreshIdle = 30 * 24 * time.Hour
	refreshLife = 90 * 24 * time.Hour
)

// RefreshGrace is how long a refresh token may be sent again after it has been used, and gets the same answer:
// a client that lost the answer, or asked twice at once, is not taken for a thief. Since the answer is the same,
// a thief who comes within that time ends up with the same token as its owner, and the next use of it but one
// gives him away.
const RefreshGrace = 10 * time.Second

// Pages are the pages that people see on the way; web sets them.
type Pages struct {
	Consent func(w http.ResponseWriter, r *http.Request, v ConsentView) error
	// Refuse shows an error that must not be redirected to the client.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, message string) error
}

// ConsentView is what the consent page shows. Its form posts to Action with the fields Hidden, CSRFField and
// "decision", which is "allow" or "deny". Every text but the scopes' words comes from the client and may lie.
type ConsentView struct {
	Action       string            // the form's
	Hidden       map[string]string // fields to send back as they are
	CSRF         string
	User         string // who is asked
	ClientName   string
	ClientID     string
	ClientHost   string // of the client's own site; of a document, the host that vouches for it
	RedirectHost string // where the answer goes; for an app on this computer, "this computer"
	Kind         ClientKind
	Loopback     bool // warn: any program on the computer could be asking
	Unverified   bool // warn: the client registered itself, its name proves nothing
	Elsewhere    bool // warn: the answer goes to another host than the one that vouches for the client
	Scopes       []ScopeView
}

// ScopeView is a scope in words.
type ScopeView struct {
	Scope Scope
	Words string
}

// Client is an OAuth client.
type Client struct {
	ID           string
	Kind         ClientKind
	Name         string
	RedirectURIs []string
	AuthMethod   string // how it authenticates at the token endpoint: "none", …
	SecretHash   []byte // nil for a public client
	Metadata     ClientMetadata
	CreatedAt    time.Time
	DisabledAt   *time.Time
}

// ClientKind is how a client came to be known, and so who vouches for its name.
type ClientKind string

// The kinds of clients.
const (
	ClientRegistered ClientKind = "registered" // it registered itself (RFC 7591): nobody
	ClientDocument   ClientKind = "document"   // a document at its id describes it: whoever controls that address
	ClientPredefined ClientKind = "predefined" // an administrator added it
	ClientBuiltIn    ClientKind = "builtin"    // it is part of Switchboard
)

// ClientMetadata is what else a client said of itself.
type ClientMetadata struct {
	ApplicationType string   `json:"application_type,omitempty"` // "native" or "web"
	GrantTypes      []string `json:"grant_types,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	LogoURI         string   `json:"logo_uri,omitempty"`
	TOSURI          string   `json:"tos_uri,omitempty"`
	PolicyURI       string   `json:"policy_uri,omitempty"`
	SoftwareID      string   `json:"software_id,omitempty"`
	SoftwareVersion string   `json:"software_version,omitempty"`
	Contacts        []string `json:"contacts,omitempty"`
}

// Grant is what a person allowed a client, and the family of all tokens that came from it.
type Grant struct {
	ID        GrantID
	User      UserID
	UserName  string
	ClientID  string
	Client    string     // its name
	Kind      ClientKind // the client's
	ClientURI string
	Origin    GrantOrigin
	Name      string // what the person calls it; empty for most
	Scopes    Scopes
	Resource  string
	// RedirectURI is where the consent was sent. The client must still have it when it comes for tokens.
	RedirectURI string
	CreatedAt   time.Time
	ExpiresAt   *time.Time // of a personal token
	LastUsedAt  *time.Time // nil: no token was ever made, or used
	LastAddr    string
	RevokedAt   *time.Time
}

// GrantOrigin is how a grant came about.
type GrantOrigin string

// The origins of grants.
const (
	OriginCode     GrantOrigin = "code"     // a consent in the browser that the client opened
	OriginDevice   GrantOrigin = "device"   // a code that a person typed (RFC 8628)
	OriginPersonal GrantOrigin = "personal" // a token that a person made for his script
)

// TokenKind tells what a stored token is good for.
type TokenKind string

// The kinds of tokens.
const (
	KindCode    TokenKind = "code"
	KindAccess  TokenKind = "access"
	KindRefresh TokenKind = "refresh"
	// KindPersonal is used like an access token, but lives as long as its person said and is never exchanged.
	KindPersonal TokenKind = "pat"
	// KindDevice is a device code. It is kept with its request, and not among the tokens.
	KindDevice TokenKind = "device"
)

// StoredToken is a code or token as it is kept: its signature, from which it cannot be made.
type StoredToken struct {
	Kind        TokenKind
	Signature   string
	Grant       GrantID
	Scopes      Scopes
	RedirectURI string // of a code, as the client asked for it
	Challenge   string // of a code: PKCE, S256
	CreatedAt   time.Time
	ExpiresAt   time.Time
	SpentAt     *time.Time // a code was redeemed, a refresh token rotated
}

// OAuthStore keeps clients, grants and tokens. Its errors match ErrNotFound and ErrUnavailable where they apply.
type OAuthStore interface {
	InsertClient(ctx context.Context, c Client) error
	Client(ctx context.Context, id string) (Client, error)
	// Document finds what is known of a document. SaveDocument keeps that and, if there is one, the client that the
	// document describes, both or neither; whether the client is disabled stays.
	Document(ctx context.Context, url string) (Document, error)
	SaveDocument(ctx context.Context, d Document, c *Client) error
	// DeleteStaleGrants removes clients made before a time that were never granted anything, if they made themselves
	// known, what is known of the documents of such clients, grants whose code was never redeemed, and expired tokens.
	DeleteStaleGrants(ctx context.Context, now, unusedSince time.Time) error

	// InsertGrant keeps a consent and the code that answers it, both or neither.
	InsertGrant(ctx context.Context, g Grant, code StoredToken) error
	// InsertPersonalToken keeps a personal token with its grant, both or neither. ErrTooManyTokens: the person has
	// as many as he may have, or more, that are good at the grant's creation.
	InsertPersonalToken(ctx context.Context, g Grant, token StoredToken, most int) error
	// Grants lists, newest first, personal tokens and what holds a good access or refresh token at now, unless it is
	// revoked: of one person, or of all if user is empty, and of one client, or of all.
	Grants(ctx context.Context, user UserID, client string, now time.Time, most int) ([]Grant, error)
	Grant(ctx context.Context, id GrantID) (Grant, error)
	RevokeGrant(ctx context.Context, id GrantID, why string, at time.Time) error
	RevokeGrants(ctx context.Context, user UserID, why string, at time.Time) error
	RevokeClientGrants(ctx context.Context, client, why string, at time.Time) error

	// Access finds who holds an access or personal token that is good at now: not expired, its grant not revoked, its
	// user not suspended, its client not disabled. ErrNotFound otherwise.
	Access(ctx context.Context, kind TokenKind, signature string, now time.Time) (Access, error)
	// TouchGrant writes a grant's last use.
	TouchGrant(ctx context.Context, id GrantID, addr string, at time.Time) error

	// Token finds a token and its grant, whatever has become of them.
	Token(ctx context.Context, kind TokenKind, signature string) (StoredToken, Grant, error)
	// DeleteToken forgets a token.
	DeleteToken(ctx context.Context, kind TokenKind, signature string) error
	// Exchange runs do in one transaction, committed if do returns nil.
	Exchange(ctx context.Context, do func(tx ExchangeTx) error) error

	DeviceStore
	ClientAdminStore
}

// ExchangeTx is one request at the token endpoint. All it does is committed together.
type ExchangeTx interface {
	// LockToken finds a token whose grant is alive (not revoked, user not suspended, client not disabled), and keeps
	// others from it until the transaction ends.
	LockToken(ctx context.Context, kind TokenKind, signature string) (StoredToken, Grant, error)
	// SpendToken marks a token as used. ErrNotFound: it was already.
	SpendToken(ctx context.Context, kind TokenKind, signature string, at time.Time) error
	// InsertToken keeps a token; one with its signature may be there already and stays as it is.
	InsertToken(ctx context.Context, t StoredToken) error
	TouchGrant(ctx context.Context, id GrantID, addr string, at time.Time) error
	RevokeGrant(ctx context.Context, id GrantID, why string, at time.Time) error

	DeviceTx
}

// Access is who holds a good access token.
type Access struct {
	User       UserID
	UserName   string
	Role       Role
	ClientID   string
	Client     string
	Grant      GrantID
	GrantName  string // empty for most
	Scopes     Scopes
	Resource   string
	ExpiresAt  time.Time // the token
	LastUsedAt *time.Time
}

// unused reports whether the last use that was written is old enough to write another.
func (a Access) unused(now time.Time) bool {
	return a.LastUsedAt == nil || now.Sub(*a.LastUsedAt) >= touchInterval
}
