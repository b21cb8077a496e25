package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"switchboard/auth"
)

// oidcConfig is a company's login provider: Okta, Entra, Google Workspace, Keycloak, dex, or any other that speaks
// OpenID Connect.
type oidcConfig struct {
	Issuer           string   `env:"SWITCHBOARD_OIDC_ISSUER" placeholder:"URL" help:"A login provider (OpenID Connect), such as https://example.okta.com, exactly as it writes its own issuer. Left out: people have passwords here. README, \"Company login\"."`
	ClientID         string   `name:"client-id" env:"SWITCHBOARD_OIDC_CLIENT_ID" placeholder:"ID" help:"What the provider calls this control plane. The redirect URI to register there is <public URL>/login/oidc/callback."`
	ClientSecretFile string   `env:"SWITCHBOARD_OIDC_CLIENT_SECRET_FILE" type:"path" placeholder:"FILE" help:"A file with the client's secret; or the secret itself in SWITCHBOARD_OIDC_CLIENT_SECRET."`
	Name             string   `env:"SWITCHBOARD_OIDC_NAME" placeholder:"NAME" help:"What people call the provider, such as Okta. Left out: its host."`
	AllowedDomain    []string `env:"SWITCHBOARD_OIDC_ALLOWED_DOMAINS" placeholder:"DOMAIN" help:"Lets in only who has an e-mail address there that the provider has verified. May be repeated; in the environment, separated by commas."`
	GroupsClaim      string   `default:"groups" env:"SWITCHBOARD_OIDC_GROUPS_CLAIM" placeholder:"CLAIM" help:"The claim that names a person's groups."`
	AdminGroup       string   `env:"SWITCHBOARD_OIDC_ADMIN_GROUP" placeholder:"GROUP" help:"Its members are administrators, and nobody else who comes by the provider is. Left out: roles are given here."`
	MemberGroup      []string `sep:";" env:"SWITCHBOARD_OIDC_MEMBER_GROUPS" placeholder:"GROUP" help:"Lets in only its members, and the administrators' group's. May be repeated; in the environment, separated by semicolons."`
	Only             bool     `env:"SWITCHBOARD_OIDC_ONLY" help:"Closes logging in with what is kept here, such as a password."`

	// ClientSecret is exported, and no flag: fmt asks a type how it prints, but not that of an unexported field.
	ClientSecret auth.Secret `kong:"-"`
}

// secretVariable is not a flag's, for everybody on the machine can read a command line.
const secretVariable = "SWITCHBOARD_OIDC_CLIENT_SECRET"

// complete reads the secret, and refuses what would let in anybody at all.
func (c *oidcConfig) complete() error {
	if c.Issuer == "" {
		return c.unused()
	}
	issuer, err := checkIssuer(c.Issuer)
	if err != nil {
		return err
	}
	if c.ClientID == "" {
		return errors.New("--oidc-client-id is needed: what the provider calls this control plane")
	}
	if err := c.checkWho(); err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = issuer.Hostname()
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = "groups"
	}
	c.ClientSecret, err = c.readSecret()
	return err
}

// unused refuses a provider that was half described, since it would silently not be there.
func (c *oidcConfig) unused() error {
	if c.ClientID != "" || c.ClientSecretFile != "" || c.AdminGroup != "" || len(c.MemberGroup)+len(c.AllowedDomain) > 0 || c.Only {
		return errors.New("--oidc-issuer is needed beside the other --oidc flags")
	}
	return nil
}

// checkIssuer admits https, and http on loopback only: codes and the secret travel over it.
func checkIssuer(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("--oidc-issuer: %w", err)
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	switch {
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("--oidc-issuer %q: want an address such as https://example.okta.com", s)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, fmt.Errorf("--oidc-issuer %q: want https; plain http is for loopback only", s)
	case u.Hostname() == "login.microsoftonline.com" && slices.Contains([]string{"common", "organizations", "consumers"}, tenant):
		return nil, fmt.Errorf("--oidc-issuer %q: anybody has an account there; want your own tenant's, https://login.microsoftonline.com/<tenant id>/v2.0", s)
	}
	return u, nil
}

var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])$`)

// publicDomains are some at which anybody can have an address.
func publicDomains() []string {
	return []string{
		"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com", "me.com",
		"aol.com", "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru", "qq.com", "163.com", "proton.me", "protonmail.com",
	}
}

// checkWho refuses a provider whose every account would be let in.
func (c *oidcConfig) checkWho() error {
	for i, domain := range c.AllowedDomain {
		domain = strings.ToLower(domain)
		if !domainName.MatchString(domain) {
			return fmt.Errorf("--oidc-allowed-domain %q: want a domain, such as example.com", domain)
		}
		if len(c.MemberGroup) == 0 && slices.Contains(publicDomains(), domain) {
			return fmt.Errorf("--oidc-allowed-domain %s: anybody can have an address there; say --oidc-member-group too", domain)
		}
		c.AllowedDomain[i] = domain
	}
	if slices.Contains(c.MemberGroup, "") {
		return errors.New("--oidc-member-group: a group has no name")
	}
	if len(c.AllowedDomain)+len(c.MemberGroup) == 0 {
		return errors.New("whoever has an account at the --oidc-issuer could log in; say --oidc-allowed-domain, --oidc-member-group or both")
	}
	return nil
}

func (c *oidcConfig) readSecret() (auth.Secret, error) {
	secret := os.Getenv(secretVariable)
	if c.ClientSecretFile != "" {
		if secret != "" {
			return "", fmt.Errorf("--oidc-client-secret-file and %s are both set; which is it?", secretVariable)
		}
		text, err := os.ReadFile(c.ClientSecretFile)
		if err != nil {
			return "", fmt.Errorf("--oidc-client-secret-file: %w", err)
		}
		secret = string(text)
	}
	secret = strings.TrimSpace(secret)
	if secret == "" {
		return "", fmt.Errorf("the provider's client secret is needed: in --oidc-client-secret-file or in %s", secretVariable)
	}
	return auth.Secret(secret), nil
}

// provider is what auth needs to know of it.
func (c *oidcConfig) provider() auth.ProviderConfig {
	return auth.ProviderConfig{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret, Name: c.Name, AllowedDomains: c.AllowedDomain,
		GroupsClaim: c.GroupsClaim, AdminGroup: c.AdminGroup, MemberGroups: c.MemberGroup,
	}
}
