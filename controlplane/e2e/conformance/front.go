package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// front is the control plane's public address: a proxy that adds the bearer token, which the suite cannot send, and
// changes nothing else.
type front struct {
	listener net.Listener
	target   string // the control plane's own address
	token    atomic.Pointer[string]
}

func listen(ctx context.Context) (*front, error) {
	target, err := harness.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{listener: listener, target: target}
	server := &http.Server{Handler: f.proxy(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until Close
	return f, nil
}

// URL is what the suite is told.
func (f *front) URL() string { return "http://" + f.listener.Addr().String() }

// Close ends the proxy.
func (f *front) Close() { _ = f.listener.Close() }

func (f *front) proxy() http.Handler {
	return &httputil.ReverseProxy{
		FlushInterval: -1, // at once: event streams pass through
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway) // not up yet, or the client has gone
		},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: f.target})
			r.Out.Host = r.In.Host
			if token := f.token.Load(); token != nil && r.In.URL.Path == "/mcp" {
				r.Out.Header.Set("Authorization", "Bearer "+*token)
			}
		},
	}
}
