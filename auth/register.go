package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxRegistration = 16 << 10 // bytes
	maxRedirectURIs = 10
	maxClientName   = 100 // characters
	maxContacts     = 10

	applicationNative = "native" // installed: may use loopback and an app's own scheme
	applicationWeb    = "web"
)

// An address may register clients in bursts: a hosted MCP client registers for all its users from few addresses.
const (
	registerBurst = 20
	registerEvery = 10 * time.Second
)

// registration is what a client asks for and, completed, what it is told (RFC 7591). Members that are not here
// are ignored, a software_statement among them.
type registration struct {
	RedirectURIs  []string        `json:"redirect_uris"`
	AuthMethod    string          `json:"token_endpoint_auth_method"`
	ResponseTypes []string        `json:"response_types"`
	Name          string          `json:"client_name"`
	JWKS          json.RawMessage `json:"jwks,omitempty"`
	JWKSURI       string          `json:"jwks_uri,omitempty"`
	ClientMetadata
}

type registered struct {
	ID       string `json:"client_id"`
	IssuedAt int64  `json:"client_id_issued_at"`
	Secret   string `json:"client_secret,omitempty"`
	Expires  *int64 `json:"client_secret_expires_at,omitempty"` // 0: never; only with a secret
	registration
}

// Register answers at RegisterPath: any client may register, and gets no right by it.
func (o *OAuth) Register(w http.ResponseWriter, r *http.Request) {
	if !o.allow(w, r, http.MethodPost) {
		return
	}
	r, done := bounded(r)
	defer done()
	answer, err := o.register(w, r)
	if err != nil {
		o.answerError(w, r, err)
		return
	}
	o.answer(w, r, http.StatusCreated, answer)
}

func (o *OAuth) register(w http.ResponseWriter, r *http.Request) (registered, error) {
	addr := RemoteAddr(r)
	rate := Rate{PerSecond: 1 / registerEvery.Seconds(), Burst: registerBurst}
	if delay := o.registrations.Take(Network(addr), rate, o.Now()); delay > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(delay.Seconds()))))
		return registered{}, &refusal{http.StatusTooManyRequests, "temporarily_unavailable", "Too many registrations from this address."}
	}
	asked, err := readRegistration(w, r)
	if err != nil {
		return registered{}, err
	}
	if err := asked.complete(); err != nil {
		return registered{}, err
	}
	return o.addClient(r.Context(), asked, addr)
}

func (o *OAuth) addClient(ctx context.Context, asked registration, addr string) (registered, error) {
	client := Client{
		ID: rand.Text(), Kind: ClientRegistered, Name: asked.Name, RedirectURIs: asked.RedirectURIs, AuthMethod: asked.AuthMethod,
		Metadata: asked.ClientMetadata, CreatedAt: o.Now(),
	}
	answer := registered{ID: client.ID, IssuedAt: client.CreatedAt.Unix(), registration: asked}
	if client.AuthMethod != authNone {
		secret := newSecret()
		client.SecretHash = secret.hash()
		answer.Secret, answer.Expires = string(secret), new(int64)
	}
	who := Caller{ClientID: client.ID, Client: client.Name, Addr: addr}
	if err := o.record(ctx, who, "oauth.register", client.ID, true, map[string]string{"redirect": strings.Join(client.RedirectURIs, " ")}); err != nil {
		return registered{}, err
	}
	return answer, o.Store.InsertClient(ctx, client)
}

func readRegistration(w http.ResponseWriter, r *http.Request) (registration, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return registration{}, &refusal{http.StatusUnsupportedMediaType, "invalid_client_metadata", "Send application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRegistration))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return registration{}, &refusal{http.StatusRequestEntityTooLarge, "invalid_client_metadata", "The metadata is longer than 16 kB."}
	}
	if err != nil {
		return registration{}, badMetadata("The body cannot be read.")
	}
	var asked registration
	if err := json.Unmarshal(body, &asked); err != nil {
		return registration{}, badMetadata("The body is not the JSON of client metadata.")
	}
	return asked, nil
}

func badMetadata(format string, args ...any) error {
	return refuse("invalid_client_metadata", format, args...)
}

// complete checks what was asked for and fills in what was left out.
func (m *registration) complete() error {
	for _, check := range []func() error{m.checkKind, m.checkRedirectURIs, m.checkGrants, m.checkTexts} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (m *registration) checkKind() error {
	if m.AuthMethod == "" {
		m.AuthMethod = authBasic // RFC 7591 section 2
	}
	if !slices.Contains(authMethods(), m.AuthMethod) {
		return badMetadata("token_endpoint_auth_method must be one of %v.", authMethods())
	}
	if len(m.JWKS) > 0 && m.JWKSURI != "" {
		return badMetadata("jwks and jwks_uri exclude each other.")
	}
	m.JWKS, m.JWKSURI = nil, "" // not used by any method above, so not kept and not echoed
	switch m.ApplicationType {
	case "":
		m.ApplicationType = inferApplicationType(m.RedirectURIs)
	case applicationNative, applicationWeb:
	default:
		return badMetadata("application_type must be native or web.")
	}
	return nil
}

func inferApplicationType(uris []string) string {
	for _, uri := range uris {
		if u, err := url.Parse(uri); err != nil || u.Scheme != "https" {
			return applicationNative
		}
	}
	return applicationWeb
}

func (m *registration) checkRedirectURIs() error {
	deviceOnly := slices.Contains(m.GrantTypes, grantDevice) && !slices.Contains(m.GrantTypes, grantCode)
	if len(m.RedirectURIs) == 0 && deviceOnly {
		m.RedirectURIs = []string{} // nobody is redirected
		return nil
	}
	if len(m.RedirectURIs) == 0 {
		return refuse("invalid_redirect_uri", "redirect_uris is missing.")
	}
	if len(m.RedirectURIs) > maxRedirectURIs {
		return refuse("invalid_redirect_uri", "There are more than %d redirect_uris.", maxRedirectURIs)
	}
	for i, uri := range m.RedirectURIs {
		if problem := checkRedirectURI(uri, m.ApplicationType); problem != "" {
			return refuse("invalid_redirect_uri", "redirect_uris[%d] %s.", i, problem)
		}
	}
	return nil
}

func (m *registration) checkGrants() error {
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{grantCode, grantRefresh}
	}
	for _, grant := range m.GrantTypes {
		if !slices.Contains(grantTypes(), grant) {
			return badMetadata("grant_types may have %v.", grantTypes())
		}
	}
	if !slices.Contains(m.GrantTypes, grantCode) && !slices.Contains(m.GrantTypes, grantDevice) {
		return badMetadata("grant_types must have %s or %s.", grantCode, grantDevice)
	}
	if len(m.ResponseTypes) == 0 || !slices.Contains(m.GrantTypes, grantCode) {
		m.ResponseTypes = m.responseTypes()
	}
	if !slices.Equal(m.ResponseTypes, m.responseTypes()) {
		return badMetadata(`response_types must be ["code"].`)
	}
	return nil
}

// responseTypes are those of the authorization endpoint, which a device does without.
func (m *registration) responseTypes() []string {
	if slices.Contains(m.GrantTypes, grantCode) {
		return []string{"code"}
	}
	return []string{}
}

// checkTexts looks at what people will be shown. The scopes that we do not know are dropped, since asking for
// them is refused anyway.
func (m *registration) checkTexts() error {
	if m.Name == "" {
		m.Name = "Unnamed app"
	}
	if !plainText(m.Name, maxClientName) {
		return badMetadata("client_name must be at most %d characters, without control or invisible characters.", maxClientName)
	}
	if !plainText(m.SoftwareID, maxClientName) || !plainText(m.SoftwareVersion, maxClientName) {
		return badMetadata("software_id and software_version must be at most %d characters.", maxClientName)
	}
	for name, uri := range map[string]string{
		"client_uri": m.ClientURI, "logo_uri": m.LogoURI, "tos_uri": m.TOSURI, "policy_uri": m.PolicyURI,
	} {
		if uri != "" && !isWebPage(uri) {
			return badMetadata("%s must be an http or https URL.", name)
		}
	}
	if len(m.Contacts) > maxContacts || slices.ContainsFunc(m.Contacts, func(c string) bool { return !plainText(c, maxClientName) }) {
		return badMetadata("contacts are too many or too long.")
	}
	var known Scopes
	for _, scope := range ParseScopes(m.Scope) {
		if AllScopes().Has(scope) {
			known = append(known, scope)
		}
	}
	m.Scope = known.String()
	return nil
}

func isWebPage(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && plainText(uri, maxRedirectURI)
}
