// Package dispatch carries commands to hosts and their reports back, over NATS. It decides nothing.
package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// Hosts sends commands. The connection belongs to whoever made it.
type Hosts struct{ Conn *nats.Conn }

// CallTimeout is how long a host may take to answer a command. It answers at once, whatever the work.
const CallTimeout = 5 * time.Second

// The ways in which a call ends without the host's answer.
var (
	ErrOffline  = errors.New("host is offline")     // nobody listens: nothing was done
	ErrNoAnswer = errors.New("host did not answer") // it may or may not have been done
	ErrDown     = errors.New("NATS is unreachable") // nothing was sent
)

// Call asks host for one thing and waits for its answer. A refusal comes back as *protocol.Error.
func Call[Request, Reply any](ctx context.Context, hosts Hosts, host protocol.HostID,
	command protocol.Command[Request, Reply], request Request,
) (Reply, error) {
	var reply Reply
	body, err := json.Marshal(request)
	if err != nil {
		return reply, fmt.Errorf("%s: %w", command.Name, err)
	}
	if !hosts.Conn.IsConnected() {
		return reply, ErrDown
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	answer, err := hosts.Conn.RequestWithContext(ctx, protocol.CommandSubject(host, command.Name), body)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return reply, ErrOffline
	case err != nil:
		return reply, fmt.Errorf("%s: %w: %w", command.Name, ErrNoAnswer, err)
	case answer.Header.Get(protocol.ErrorHeader) != "":
		return reply, readError(answer.Data)
	}
	if err := json.Unmarshal(answer.Data, &reply); err != nil {
		return reply, fmt.Errorf("%s: answer of host %s: %w", command.Name, host, err)
	}
	return reply, nil
}

// Cut closes the host's connections on all replicas, at once. Whether it may come back is up to HostByKey.
func (h Hosts) Cut(host protocol.HostID) error {
	if err := h.Conn.Publish(protocol.CutSubject(host), nil); err != nil {
		return fmt.Errorf("cut host %s: %w", host, err)
	}
	return nil
}

func readError(body []byte) error {
	var refusal protocol.Error
	if err := json.Unmarshal(body, &refusal); err != nil {
		return fmt.Errorf("a host's error: %w", err)
	}
	return &refusal
}
