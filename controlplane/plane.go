package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"switchboard/auth"
	"switchboard/auth/outbound"
	"switchboard/auth/seal"
	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/embedded"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/mcphttp"
	"switchboard/controlplane/mcptools"
	"switchboard/controlplane/notify"
	"switchboard/hostagent/protocol"
	"switchboard/web"
)

// plane is the control plane, wired: who needs what can be read off newPlane.
type plane struct {
	config   config
	log      *slog.Logger
	stores   *stores
	fleet    *fleet.Fleet
	accounts *auth.Accounts
	oauth    *auth.OAuth
	pages    *web.Pages
	mcp      *mcphttp.Handler
	outbound *outbound.Client
	bridge   *dispatch.Bridge
	enrol    *enrolment
	stops    []func() // of the subscriptions
}

func newPlane(c config, s *stores, log *slog.Logger) (*plane, error) {
	keys, err := tokenKeys(c.Data)
	if err != nil {
		return nil, err
	}
	audience, err := s.keys.Audience()
	if err != nil {
		return nil, err
	}
	p := &plane{config: c, log: log, stores: s}
	if p.outbound, err = c.outbound(); err != nil {
		return nil, err
	}
	webhooks, err := seal.New("webhooks", keys...)
	if err != nil {
		return nil, err
	}
	questions, err := seal.New("questions", keys...)
	if err != nil {
		return nil, err
	}
	p.fleet = &fleet.Fleet{
		Store: s.db, Audit: s.db.Append, Hosts: dispatch.Hosts{Conn: s.conn}, Changes: dispatch.Changes{Conn: s.conn},
		Webhooks: &notify.Webhooks{Client: p.outbound, Now: time.Now}, Seal: webhooks,
		PublicURL: c.PublicURL, Log: log, Now: time.Now, Recordings: c.recordings(),
	}
	p.accounts = &auth.Accounts{
		Store: s.db, Audit: s.db, PublicURL: c.PublicURL, Now: time.Now, Log: log, FirstAdmin: p.fleet.AdoptHosts,
		Secrets: keys, SecondFactor: auth.SecondFactor(c.RequireSecondFactor), ProviderOnly: c.OIDC.Only,
	}
	p.oauth = &auth.OAuth{
		Store: s.db, Accounts: p.accounts, Audit: s.db, PublicURL: c.PublicURL, Now: time.Now, Log: log,
		Secret: keys[0], OldSecrets: keys[1:], Outbound: p.outbound, DocumentHosts: c.ClientMetadataHosts,
	}
	p.pages = &web.Pages{Fleet: p.fleet, Accounts: p.accounts, OAuth: p.oauth, PublicURL: c.PublicURL, Log: log}
	p.oauth.Pages = p.pages.OAuthPages()
	if c.OIDC.Issuer != "" {
		p.pages.OIDC = &auth.OIDC{Provider: c.OIDC.provider(), Accounts: p.accounts, Store: s.db}
	}
	p.bridge = &dispatch.Bridge{
		Conn: s.conn, Dial: s.nats.Dial, HostByKey: p.hostByKey, Away: p.away, Log: log,
		Proofs: &dispatch.Proofs{Audience: audience, Now: time.Now},
	}
	p.enrol = &enrolment{Fleet: p.fleet, OAuth: p.oauth, Audience: audience, Log: log}
	burst := int(math.Ceil(10 * c.Rate)) // ten seconds' worth
	desk := &mcptools.Desk{
		Fleet: p.fleet, Log: log, Caller: mcphttp.CallerFrom, Unavailable: mcphttp.MarkUnavailable,
		Questions: questions, Notify: mcphttp.Notify, Missing: mcphttp.MarkMissing, NoResource: mcphttp.MarkNoResource,
		Failed: mcphttp.MarkFailed,
	}
	endpoint := mcphttp.Config{
		PublicURL: c.PublicURL, MCP: desk.Server(version), Bearer: p.oauth.Check, Watch: p.oauth.Changes.Watch, Sessions: s.db,
		Needs: mcptools.Needs(), Stream: desk.Stream, Methods: desk.Methods(), Capabilities: mcptools.Capabilities(),
		Scopes: auth.ResourceScopes(), Origins: c.AllowedOrigin, Log: log,
		PerUser: auth.Rate{PerSecond: c.Rate, Burst: burst},
		PerAddr: auth.Rate{PerSecond: 4 * c.Rate, Burst: 4 * burst},
	}
	addFixtures(&endpoint)
	p.mcp, err = mcphttp.New(endpoint)
	return p, err
}

func (p *plane) hostByKey(ctx context.Context, nkey string) (protocol.HostID, error) {
	host, err := p.fleet.HostByKey(ctx, nkey)
	if errors.Is(err, auth.ErrNotFound) {
		return "", dispatch.ErrUnknownKey
	}
	return host.ID, err
}

func (p *plane) away(ctx context.Context, host protocol.HostID) {
	if err := p.fleet.RecordAway(ctx, host); err != nil {
		p.log.ErrorContext(ctx, "host's leaving not recorded", "host", host, "err", err)
	}
}

// listen begins to judge hosts' connections and to take their reports.
func (p *plane) listen(ctx context.Context) error {
	s := p.stores
	if p.config.NATSURL == "" { // the bus was in the process that ended, and so was every connection
		if err := p.fleet.RecordRestart(ctx); err != nil {
			return err
		}
	}
	callout := &dispatch.Callout{
		Conn: s.conn, Issuer: s.keys.Issuer, Seal: s.keys.Seal, Account: embedded.Account,
		HostByKey: p.hostByKey, Log: p.log, Now: time.Now,
	}
	starts := []func() (func(), error){
		func() (func(), error) { return callout.Serve(ctx) },
		p.bridge.Listen,
		func() (func(), error) { return dispatch.On(ctx, s.conn, p.log, protocol.Hello, p.fleet.RecordHello) },
		func() (func(), error) {
			return dispatch.On(ctx, s.conn, p.log, protocol.Heartbeat, p.fleet.RecordHeartbeat)
		},
		func() (func(), error) {
			return dispatch.On(ctx, s.conn, p.log, protocol.AdoptSession, p.fleet.RecordAdoption)
		},
		func() (func(), error) { return dispatch.On(ctx, s.conn, p.log, protocol.Events, p.fleet.RecordEvents) },
		func() (func(), error) {
			return dispatch.On(ctx, s.conn, p.log, protocol.StoreSegment, p.fleet.RecordSegment)
		},
		func() (func(), error) {
			return dispatch.On(ctx, s.conn, p.log, protocol.Leaving, p.fleet.RecordLeaving)
		},
	}
	for _, start := range starts {
		stop, err := start()
		if err != nil {
			return err
		}
		p.stops = append(p.stops, stop)
	}
	return nil
}

// sweep deletes what has expired, now and every hour.
func (p *plane) sweep(ctx context.Context) error {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		if err := errors.Join(p.accounts.Sweep(ctx), p.oauth.Sweep(ctx), p.mcp.Sweep(ctx), p.fleet.Sweep(ctx)); err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "expired rows not deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// close stops taking reports and connections.
func (p *plane) close() {
	for _, stop := range p.stops {
		stop()
	}
}
