package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Client makes requests, each on a connection of its own: without redirects, cookies, credentials, compression or a
// proxy. The zero value is ready. Its fields are set once, before use.
type Client struct {
	Allow []netip.Prefix // addresses inside of the operator's network that may be called all the same
	Roots *x509.CertPool // who may certify; nil: whom the system trusts

	// Resolve finds a name's addresses; nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to an address that has been resolved and checked; nil: net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Limits of a request.
const (
	Timeout   = 5 * time.Second // for all of it: name, connection, answer
	MaxPost   = 256 << 10       // bytes that may be posted
	maxAnswer = 4 << 10         // bytes that are kept of what a post is answered
	maxHeader = 32 << 10        // bytes of an answer's header
)

// What can be wrong, beside the network. Every other error means that trying again may help.
var (
	// ErrRefused: the address is none that may be called.
	ErrRefused = errors.New("this address may not be called")
	// ErrTooLarge: the body is longer than its limit.
	ErrTooLarge = errors.New("too large")
)

// Response is an answer, of whatever status: redirects too are left to the caller, who should not follow them.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get fetches an answer of at most limit bytes; more is ErrTooLarge. The header may be nil.
func (c *Client) Get(ctx context.Context, address string, header http.Header, limit int64) (Response, error) {
	r, err := c.do(ctx, http.MethodGet, address, header, nil, limit)
	if err != nil {
		return Response{}, err
	}
	if int64(len(r.Body)) > limit {
		return Response{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return r, nil
}

// Post sends a body of at most MaxPost bytes, with the header, which names its Content-Type. Of the answer's body
// only the beginning is kept.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) (Response, error) {
	if len(body) > MaxPost {
		return Response{}, fmt.Errorf("%w: %d bytes to post, %d are allowed", ErrTooLarge, len(body), MaxPost)
	}
	r, err := c.do(ctx, http.MethodPost, address, header, body, maxAnswer)
	if err != nil {
		return Response{}, err
	}
	r.Body = r.Body[:min(len(r.Body), maxAnswer)]
	return r, nil
}

// do makes one request and reads at most one byte more than limit.
func (c *Client) do(ctx context.Context, method, address string, header http.Header, body []byte, limit int64) (Response, error) {
	if err := CheckURL(address); err != nil {
		return Response{}, err
	}
	ctx, done := context.WithTimeout(ctx, Timeout)
	defer done()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return Response{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("User-Agent", "Switchboard")
	// The transport itself, not an http.Client, which would follow redirects and keep cookies.
	answer, err := c.transport().RoundTrip(r)
	if err != nil {
		return Response{}, err
	}
	defer answer.Body.Close()
	if encoding := answer.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return Response{}, fmt.Errorf("the answer is encoded as %q, which was not asked for", encoding)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err == nil {
		err = ctx.Err() // a server that sees us go may end the body as if it were whole
	}
	if err != nil {
		return Response{}, fmt.Errorf("read the answer: %w", err)
	}
	return Response{Status: answer.StatusCode, Header: answer.Header, Body: text}, nil
}

// transport serves one request. A kept connection would go on to an address that was checked for another name.
func (c *Client) transport() *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // one from the environment would resolve the name itself
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    Timeout,
		DisableKeepAlives:      true,
		DisableCompression:     true, // so that a limit on bytes is one on what they unpack to
		MaxResponseHeaderBytes: maxHeader,
	}
}
