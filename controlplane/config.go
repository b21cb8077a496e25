package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/controlplane/fleet"
)

// location is where the control plane's own files lie.
type location struct {
	Data string `default:"${data}" env:"SWITCHBOARD_DATA" type:"path" help:"Directory for keys and for the embedded PostgreSQL and NATS."`
}

// database is what a command needs to know that only looks into the database.
type database struct {
	location    `embed:""`
	DatabaseURL string `env:"DATABASE_URL" placeholder:"URL" help:"An external PostgreSQL, instead of the embedded one."`
	PostgresBin string `env:"PG_BIN" type:"path" placeholder:"DIR" help:"Directory of the PostgreSQL programs that the embedded one is run from. Left out: the newest that is installed."`
}

// postgres is the embedded one's directory.
func (d database) postgres() string { return filepath.Join(d.Data, "postgres") }

// config is what every way of serving needs to know.
type config struct {
	database            `embed:""`
	Listen              string         `default:"127.0.0.1:8420" env:"SWITCHBOARD_LISTEN" help:"Address to listen on."`
	PublicURL           string         `env:"SWITCHBOARD_PUBLIC_URL" placeholder:"URL" help:"The address that clients and hosts use, such as https://switchboard.example.com. Left out: http://<listen>, for this machine only."`
	NATSURL             string         `name:"nats-url" env:"NATS_URL" placeholder:"URL" help:"An external NATS, instead of the embedded one. See deploy/nats.conf."`
	TLSCert             string         `name:"tls-cert" env:"SWITCHBOARD_TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate chain (PEM). Left out: plain HTTP, behind a proxy or on loopback."`
	TLSKey              string         `name:"tls-key" env:"SWITCHBOARD_TLS_KEY" type:"path" placeholder:"FILE" help:"The certificate's key (PEM)."`
	TrustedProxy        []netip.Prefix `env:"SWITCHBOARD_TRUSTED_PROXY" placeholder:"CIDR" help:"Proxies whose X-Forwarded-For names the client."`
	AllowedOrigin       []string       `env:"SWITCHBOARD_ALLOWED_ORIGINS" placeholder:"ORIGIN" help:"A web origin, such as https://inspector.example.com, whose pages may call /mcp beside this server's own. May be repeated; in the environment, separated by commas."`
	OutboundAllow       []netip.Prefix `env:"SWITCHBOARD_OUTBOUND_ALLOW" placeholder:"CIDR" help:"Addresses in your own network that the control plane may call where others name the address: clients' metadata documents, webhooks. Left out: the public internet only. May be repeated; in the environment, separated by commas."`
	OutboundCA          string         `name:"outbound-ca" env:"SWITCHBOARD_OUTBOUND_CA" type:"path" placeholder:"FILE" help:"Certificates (PEM) that may vouch for such addresses, besides the system's."`
	RequireSecondFactor string         `enum:"off,admins,everyone" default:"off" env:"SWITCHBOARD_REQUIRE_SECOND_FACTOR" help:"Who must have a passkey or an authenticator app beside a password: off, admins or everyone. Who has none is led to set one up and can do nothing before."`
	ClientMetadataHosts []string       `env:"SWITCHBOARD_CLIENT_METADATA_HOSTS" placeholder:"HOST" help:"Hosts, such as chatgpt.com,claude.ai, whose client metadata documents are admitted. Left out: any public host's."`
	RecordingsMB        int            `name:"recordings-mb" default:"2048" env:"SWITCHBOARD_RECORDINGS_MB" help:"Most that is kept of one host's recordings, in the database, where the host's owner has them copied here. 0: they are not taken."`
	RecordingsDays      int            `default:"30" env:"SWITCHBOARD_RECORDINGS_DAYS" help:"Days after which such a copy is deleted."`
	OIDC                oidcConfig     `embed:"" prefix:"oidc-"`
	Rate                float64        `default:"50" env:"SWITCHBOARD_RATE" help:"Requests per second that one person's clients may make at /mcp, ten seconds' worth at once; an address may make four times as many. 0: no limit."`
}

// defaultData is where the control plane keeps its data if it is not told. Root's is outside of /root, since
// PostgreSQL refuses to run as root and its user could not reach it there.
func defaultData() string {
	if os.Geteuid() == 0 {
		return "/var/lib/switchboard"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ".switchboard"
	}
	return filepath.Join(home, ".switchboard", "controlplane")
}

// recordings is what is kept of them.
func (c *config) recordings() fleet.Recordings {
	return fleet.Recordings{HostBytes: int64(c.RecordingsMB) << 20, Keep: time.Duration(c.RecordingsDays) * 24 * time.Hour}
}

// maxRate is more than any machine answers.
const maxRate = 1_000_000

// complete fills in what follows from the rest, and refuses what cannot be served safely.
func (c *config) complete() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: want host:port, such as 127.0.0.1:8420", c.Listen)
	}
	if c.Rate < 0 || c.Rate > maxRate || math.IsNaN(c.Rate) {
		return fmt.Errorf("--rate %v: want 0 to %d", c.Rate, maxRate)
	}
	if c.RecordingsMB < 0 || c.RecordingsMB > 1<<20 || c.RecordingsMB > 0 && (c.RecordingsDays < 1 || c.RecordingsDays > 36500) {
		return errors.New("--recordings-mb: want 0 to 1048576, and --recordings-days 1 to 36500")
	}
	for _, host := range c.ClientMetadataHosts {
		if u, err := url.Parse("https://" + host); err != nil || u.Host != host || host != strings.ToLower(host) {
			return fmt.Errorf("--client-metadata-hosts %q: want a host in lower case, such as chatgpt.com", host)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if c.PublicURL == "" {
		if !loopback(host) {
			return fmt.Errorf("--public-url is needed: %s is reachable from elsewhere, and clients must know by which address", c.Listen)
		}
		c.PublicURL = c.scheme() + "://" + c.Listen
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if err := c.OIDC.complete(); err != nil {
		return err
	}
	return checkPublicURL(c.PublicURL)
}

func (c *config) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

// checkPublicURL admits https, and http on loopback only: tokens travel over it.
func checkPublicURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	switch {
	case u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("--public-url %q: want scheme and host only, such as https://switchboard.example.com", s)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("--public-url %q: plain http is for loopback only; put TLS in front (README, \"A public address\")", s)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("--public-url %q: want https", s)
	}
	return nil
}

// loopback reports whether only this machine can reach host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
