package link

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// NewTransport is how a host reaches its control plane: through the HTTP proxy that the environment names, and by
// HTTP/1.1, since a WebSocket needs that.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTime, KeepAlive: pingEvery}).DialContext,
		TLSHandshakeTimeout:   connectTime,
		ResponseHeaderTimeout: connectTime,
		MaxIdleConns:          1,
		IdleConnTimeout:       pingEvery,
	}
}

// connect opens a NATS connection through the control plane. It does not reconnect by itself: everything that
// follows a connection follows each new one too. Lost is closed when the connection is.
func (l *Link) connect(ctx context.Context) (conn *nats.Conn, lost <-chan struct{}, err error) {
	key, err := l.Key.PublicKey()
	if err != nil {
		return nil, nil, fmt.Errorf("the host's key: %w", err)
	}
	socket, err := l.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	closed := make(chan struct{})
	conn, err = nats.Connect("nats://control.plane", // the name is not looked up
		nats.SetCustomDialer(opened{socket}),
		nats.SkipHostLookup(),
		nats.IgnoreDiscoveredServers(),
		nats.NoReconnect(),
		nats.Nkey(key, l.Key.Sign),
		nats.CustomInboxPrefix(protocol.InboxPrefix(l.Host)),
		nats.Name(string(l.Host)),
		nats.Timeout(connectTime),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(maxPings),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { l.Log.Warn("NATS error", "err", err) }))
	if err != nil {
		_ = socket.Close()
		return nil, nil, fmt.Errorf("NATS greeting: %w", err)
	}
	return conn, closed, nil
}

// opened hands nats.go a connection that is there already.
type opened struct{ conn net.Conn }

func (o opened) Dial(string, string) (net.Conn, error) { return o.conn, nil }

// dial opens the WebSocket, showing that we hold the host's key.
func (l *Link) dial(ctx context.Context) (net.Conn, error) {
	address, err := url.JoinPath(l.URL, protocol.ConnectPath)
	if err != nil {
		return nil, fmt.Errorf("control plane's address: %w", err)
	}
	proof, err := l.prove(time.Now())
	if err != nil {
		return nil, err
	}
	opening, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	transport := l.transport()
	defer transport.CloseIdleConnections() // of an answer that was no WebSocket
	//nolint:bodyclose // the library says that there is no need to
	socket, response, err := websocket.Dial(opening, address, &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: transport, CheckRedirect: noRedirect},
		HTTPHeader:      http.Header{"Authorization": {proof.Header()}},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err == nil {
		return newStream(ctx, socket), nil
	}
	if response != nil && response.Header.Get(protocol.ReasonHeader) != "" {
		return nil, readRefusal(response)
	}
	return nil, fmt.Errorf("connect to %s: %w", address, err)
}

// noRedirect keeps the proof from being carried elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (l *Link) prove(now time.Time) (protocol.Proof, error) {
	key, err := l.Key.PublicKey()
	if err != nil {
		return protocol.Proof{}, fmt.Errorf("the host's key: %w", err)
	}
	proof := protocol.Proof{NKey: key, Audience: l.Audience, At: now, Nonce: rand.Text()}
	if proof.Signature, err = l.Key.Sign(proof.Text()); err != nil {
		return protocol.Proof{}, fmt.Errorf("sign with the host's key: %w", err)
	}
	return proof, nil
}

// readRefusal reads why the control plane did not let us in.
func readRefusal(response *http.Response) error {
	refused := &protocol.Refusal{Code: protocol.Reason(response.Header.Get(protocol.ReasonHeader))}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err == nil {
		err = json.Unmarshal(body, refused)
	}
	if err != nil {
		refused.Message = response.Status
	}
	if refused.Code == protocol.ReasonRemoved {
		return errors.Join(ErrRemoved, refused)
	}
	return fmt.Errorf("the control plane does not let this host in: %w", refused)
}

// Ask finds out whether the host would be let in, without disturbing a connection that it has.
func (l *Link) Ask(ctx context.Context) error {
	address, err := url.JoinPath(l.URL, protocol.ConnectPath)
	if err != nil {
		return fmt.Errorf("control plane's address: %w", err)
	}
	proof, err := l.prove(time.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", proof.Header())
	transport := l.transport()
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, CheckRedirect: noRedirect}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.Header.Get(protocol.ReasonHeader) != "" {
		return readRefusal(response)
	}
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("%s answered %s: is that a Switchboard control plane?", address, response.Status)
	}
	return nil
}

// Try connects as Run does and leaves again. A connection that the host has is ended by it.
func (l *Link) Try(ctx context.Context) error {
	conn, _, err := l.connect(ctx)
	if err != nil {
		return err
	}
	conn.Close()
	return nil
}

func (l *Link) transport() *http.Transport {
	if l.Transport != nil {
		return l.Transport
	}
	return NewTransport()
}
