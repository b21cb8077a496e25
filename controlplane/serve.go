package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// serveCommand is `controlplane serve`.
type serveCommand struct {
	config `embed:""`
}

// Run serves until the context ends.
func (c *serveCommand) Run(env environment) error { return serve(env, c.config, nil) }

// Limits of the HTTP server. How long a request's body may be is decided where it is read.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute // for a whole request; what follows it, a stream or a host's WebSocket, may take longer
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	drainTimeout  = 10 * time.Second // for requests in hand when the server stops
)

// companion is something that runs beside a control plane that is up, and must not outlive it.
type companion func(ctx context.Context, p *plane) error

// serve runs a control plane until the context ends, or something that it needs fails for good. What it started it
// stops again: the companion first, then the requests in hand, then what they stand on.
func serve(env environment, c config, beside companion) (err error) {
	if err := c.complete(); err != nil {
		return err
	}
	listener, err := listen(env.ctx, c)
	if err != nil {
		return err
	}
	defer listener.Close()
	s, err := openStores(env.ctx, c, env.log)
	if err != nil {
		return err
	}
	defer s.close()
	p, err := newPlane(c, s, env.log)
	if err != nil {
		return err
	}
	defer p.close()
	// Reports are taken until everything else has stopped, whatever ends the rest.
	if err := p.listen(context.WithoutCancel(env.ctx)); err != nil {
		return err
	}
	return p.run(env, listener, beside)
}

func (p *plane) run(env environment, listener net.Listener, beside companion) error {
	group, ctx := errgroup.WithContext(env.ctx)
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	server := p.server(streams)
	besideDone := make(chan struct{})
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error { return p.sweep(ctx) })
	group.Go(func() error { return p.fleet.DeliverNotices(ctx) })
	group.Go(func() error {
		p.fleet.Reconcile(ctx)
		return nil
	})
	group.Go(func() error {
		p.stores.db.Follow(ctx, &p.oauth.Changes, p.log)
		return nil
	})
	group.Go(func() error {
		defer close(besideDone)
		if err := p.announce(ctx, env.stdout); err != nil || beside == nil {
			return err
		}
		return beside(ctx, p)
	})
	group.Go(func() error {
		<-ctx.Done()
		<-besideDone
		return p.drain(server, endStreams)
	})
	return group.Wait()
}

// drain lets requests in hand finish. Streams that would never end are ended.
func (p *plane) drain(server *http.Server, endStreams func()) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	endStreams()
	if err := p.mcp.Close(ctx); err != nil {
		p.log.WarnContext(ctx, "MCP streams not closed", "err", err)
	}
	if err := server.Shutdown(ctx); err != nil {
		p.log.WarnContext(ctx, "requests cut off", "err", err)
		return server.Close()
	}
	return nil
}

// server makes the HTTP server. Every request's context ends with streams, at the latest.
func (p *plane) server(streams context.Context) *http.Server {
	return &http.Server{
		Handler:           clientAddr(p.config.TrustedProxy, p.routes()),
		BaseContext:       func(net.Listener) context.Context { return streams },
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}
}

// listen opens the one port. It comes first, so that a second control plane on it fails before it touches data.
func listen(ctx context.Context, c config) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w (is another control plane running? --listen takes another address)", err)
	}
	if c.TLSCert == "" {
		return listener, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		// Without HTTP/2: a host's WebSocket needs HTTP/1.1, and so does a tls.Listener given to Serve.
		NextProtos: []string{"http/1.1"},
	}), nil
}
