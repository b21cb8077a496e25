package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// Bridge lets hosts speak with NATS over the control plane's own address: a WebSocket that carries NATS's
// protocol, opened only to who proves to be a host. NATS itself is not to be reached from outside.
type Bridge struct {
	Conn      *nats.Conn                                  // hears which hosts to cut
	Dial      func(ctx context.Context) (net.Conn, error) // a new connection to NATS, for a host to speak on
	HostByKey HostByKey
	Proofs    *Proofs
	Away      func(ctx context.Context, host protocol.HostID) // the host's last connection here is gone
	Log       *slog.Logger

	mu       sync.Mutex // guards the fields below
	live     map[protocol.HostID]*crossing
	stopped  bool
	carrying sync.WaitGroup

	buffers sync.Pool // for what hosts say
}

// Limits of the bridge.
const (
	maxFrame  = 256 << 10        // bytes of one WebSocket message from a host
	copyBytes = 16 << 10         // at a time, from a host
	waitBytes = 4 << 10          // at a time, to a host; each has such a buffer
	admitTime = 4 * time.Second  // to find out whose key it is, and to reach NATS
	recheck   = 30 * time.Second // how often a live host is looked up again, should a cut have got lost
	awayTime  = 5 * time.Second  // to record that a host is gone
)

// ServeHTTP lets one host in and carries what it and NATS say until one of them is gone or the host is cut.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, proof, refused := b.admit(r)
	if refused != nil {
		b.Log.WarnContext(r.Context(), "host not let in", "nkey", proof.NKey, "host", host, "reason", refused.Code)
		refuse(w, refused)
		return
	}
	if r.Header.Get("Upgrade") == "" {
		w.WriteHeader(http.StatusNoContent) // it only asks whether it would be let in
		return
	}
	// The context of a request does not outlive its handler, but is not ended by a hijacked peer either.
	ctx := context.WithoutCancel(r.Context())
	server, err := b.dial(ctx)
	if err != nil {
		b.Log.ErrorContext(ctx, "host not bridged", "host", host, "err", err)
		refuse(w, unavailable())
		return
	}
	defer server.Close()
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		b.Log.WarnContext(ctx, "no WebSocket", "host", host, "err", err) // Accept has answered
		return
	}
	defer func() { _ = socket.CloseNow() }() // it is closed already, in order, where that was possible
	b.carry(ctx, &crossing{host: host, nkey: proof.NKey, since: time.Now().UnixNano(), socket: socket, server: server})
}

func (b *Bridge) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, admitTime)
	defer cancel()
	return b.Dial(ctx)
}

// admit says which host the request is from.
func (b *Bridge) admit(r *http.Request) (protocol.HostID, protocol.Proof, *protocol.Refusal) {
	proof, refused := b.Proofs.Check(r.Header)
	if refused != nil {
		return "", proof, refused
	}
	ctx, cancel := context.WithTimeout(r.Context(), admitTime)
	defer cancel()
	host, err := b.HostByKey(ctx, proof.NKey)
	if errors.Is(err, ErrUnknownKey) {
		return "", proof, &protocol.Refusal{Code: protocol.ReasonRemoved,
			Message: "this host was removed by an administrator; enrol it again if that was not meant"}
	}
	if err != nil {
		b.Log.ErrorContext(ctx, "host not looked up", "err", err)
		return "", proof, unavailable()
	}
	if !b.Proofs.First(proof) {
		return host, proof, &protocol.Refusal{Code: protocol.ReasonProof, Message: "this proof has been used already"}
	}
	return host, proof, nil
}

func unavailable() *protocol.Refusal {
	return &protocol.Refusal{Code: protocol.ReasonUnavailable, Message: "the control plane cannot serve hosts now; try again"}
}

func refuse(w http.ResponseWriter, refused *protocol.Refusal) {
	status := http.StatusUnauthorized
	switch refused.Code {
	case protocol.ReasonRemoved:
		status = http.StatusForbidden
	case protocol.ReasonUnavailable:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "2")
	}
	w.Header().Set(protocol.ReasonHeader, string(refused.Code))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(refused) // the host may have gone
}
