package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// front is the control plane's public address: a proxy that adds the bearer token, which the suite cannot send. It
// changes nothing else, but ends the answer of one tool after its first event, as networks do: the suite then comes
// back for the rest.
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
			if asked, err := io.ReadAll(r.In.Body); err == nil {
				r.Out.Body = io.NopCloser(bytes.NewReader(asked))
				r.Out = r.Out.WithContext(context.WithValue(r.Out.Context(), cutKey{}, bytes.Contains(asked, []byte(`"test_reconnection"`))))
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if cut, _ := r.Request.Context().Value(cutKey{}).(bool); cut {
				r.Body = &firstEvent{ReadCloser: r.Body}
			}
			return nil
		},
	}
}

type cutKey struct{}

// firstEvent is a stream that ends after its first event.
type firstEvent struct {
	io.ReadCloser
	last byte
	over bool
}

func (f *firstEvent) Read(p []byte) (int, error) {
	if f.over {
		return 0, io.EOF
	}
	n, err := f.ReadCloser.Read(p[:min(len(p), 1)])
	if n == 1 {
		f.over = f.last == '\n' && p[0] == '\n'
		f.last = p[0]
	}
	return n, err
}
