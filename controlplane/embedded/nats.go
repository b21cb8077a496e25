package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Account is the NATS account that the control plane and all hosts are in. deploy/nats.conf names it too.
const Account = "SWITCHBOARD"

// Limits of the NATS server; deploy/nats.conf has the same.
const (
	maxPayload   = 1 << 20          // bytes of one message
	maxControl   = 4 << 10          // bytes of one protocol line, such as the first one of a stranger
	pingInterval = 10 * time.Second // with maxPings, how soon a dead connection is noticed
	maxPings     = 2
	authSeconds  = 5 // that the control plane has to judge a connection
	startTimeout = 10 * time.Second
)

// NATS is the server that carries commands and reports: in this process, or an external one.
type NATS struct {
	keys   Keys
	server *server.Server // nil: external
	url    string         // of an external one
	lock   *os.File
}

// NATSConfig says where NATS keeps what it stores.
type NATSConfig struct {
	Dir  string // made if missing
	Keys Keys
	Log  *slog.Logger
}

// StartNATS starts the server in this process. It has no port: the control plane connects in memory, and hosts
// through dispatch.Bridge.
func StartNATS(ctx context.Context, config NATSConfig) (*NATS, error) {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	lock, err := lockDir(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	n := &NATS{keys: config.Keys, lock: lock}
	if err := n.start(ctx, config); err != nil {
		n.Stop()
		return nil, fmt.Errorf("nats: %w", err)
	}
	return n, nil
}

func (n *NATS) start(ctx context.Context, config NATSConfig) error {
	options, err := serverOptions(config)
	if err != nil {
		return err
	}
	if n.server, err = server.NewServer(options); err != nil {
		return err
	}
	n.server.SetLoggerV2(serverLog{config.Log}, false, false, false)
	n.server.Start()
	if !n.server.ReadyForConnections(startTimeout) {
		return errors.Join(errors.New("server not ready"), ctx.Err())
	}
	account, err := n.server.LookupAccount(Account)
	if err != nil {
		return err
	}
	return account.EnableJetStream(nil, nil)
}

func serverOptions(config NATSConfig) (*server.Options, error) {
	user, err := config.Keys.User.PublicKey()
	if err != nil {
		return nil, err
	}
	issuer, err := config.Keys.Issuer.PublicKey()
	if err != nil {
		return nil, err
	}
	seal, err := config.Keys.Seal.PublicKey()
	if err != nil {
		return nil, err
	}
	account := server.NewAccount(Account)
	return &server.Options{
		ServerName:      "switchboard",
		DontListen:      true,
		NoSigs:          true, // signals are the control plane's
		MaxPayload:      maxPayload,
		MaxControlLine:  maxControl,
		PingInterval:    pingInterval,
		MaxPingsOut:     maxPings,
		AuthTimeout:     authSeconds,
		Accounts:        []*server.Account{account},
		Nkeys:           []*server.NkeyUser{{Nkey: user, Account: account}},
		AuthCallout:     &server.AuthCallout{Issuer: issuer, Account: Account, AuthUsers: []string{user}, XKey: seal},
		NoSystemAccount: true,

		JetStream:              true,
		StoreDir:               filepath.Join(config.Dir, "jetstream"),
		SyncAlways:             true, // an acknowledged message is on disk; the default syncs every two minutes
		DisableJetStreamBanner: true,
	}, nil
}

// JoinNATS uses an external server, configured as in deploy/nats.conf.
func JoinNATS(address string, keys Keys) (*NATS, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("NATS address: %w", err)
	}
	if u.Scheme != "nats" || u.Hostname() == "" || u.User != nil {
		return nil, fmt.Errorf("NATS address %s: want nats://host:port (hosts are carried to it through this control "+
			"plane, so keep it in a private network; the control plane logs in by its key)", u.Redacted())
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "4222")
	}
	return &NATS{keys: keys, url: u.String()}, nil
}

// Connect makes a connection of the control plane's own. It lasts until it is closed; while an external server
// cannot be reached it keeps trying.
func (n *NATS) Connect(name string, log *slog.Logger) (*nats.Conn, error) {
	user, err := n.keys.User.PublicKey()
	if err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name(name),
		nats.Nkey(user, n.keys.User.Sign),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1), // what cannot be sent now is an error now
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil: we closed it
				log.Warn("NATS connection lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("NATS connection back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Error("NATS error", "err", err) }),
	}
	if n.server != nil {
		options = append(options, nats.InProcessServer(n.server))
	}
	conn, err := nats.Connect(n.url, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return conn, nil
}

// Dial opens a connection on which nothing is said yet, for a host to speak on.
func (n *NATS) Dial(ctx context.Context) (net.Conn, error) {
	if n.server != nil {
		return n.server.InProcessConn()
	}
	u, err := url.Parse(n.url)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", u.Host)
}

// Stop ends the server if it is ours. Connections should be closed before. It may be called again.
func (n *NATS) Stop() {
	if n.server != nil {
		n.server.Shutdown()
		n.server.WaitForShutdown()
	}
	if n.lock != nil {
		_ = n.lock.Close() // a second close is an error that means nothing
	}
}
