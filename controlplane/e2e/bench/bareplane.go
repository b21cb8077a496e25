package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/embedded"
	"switchboard/hostagent/protocol"
)

// barePlane is a control plane's way to its hosts and nothing else, in this process, so that the moment when a command
// leaves it is known.
type barePlane struct {
	conn *nats.Conn
	url  string
	host *harness.Host
	id   protocol.HostID
	ends []func()
}

// startBarePlane also starts a host agent on the machine h, which is connected when this returns. Also after an error,
// what it returns is to be ended.
func startBarePlane(ctx context.Context, dir string, h *harness.Host) (*barePlane, error) {
	b := &barePlane{host: h, id: "bench"}
	keys, err := embedded.LoadKeys(dir)
	if err != nil {
		return b, err
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		return b, err
	}
	audience, err := keys.Audience()
	if err != nil {
		return b, err
	}
	connected, err := b.serve(ctx, dir, keys, audience)
	if err != nil {
		return b, err
	}
	if err := b.enrol(ctx, key, audience); err != nil {
		return b, err
	}
	if err := h.Start(); err != nil {
		return b, err
	}
	select {
	case <-connected:
		return b, nil
	case <-time.After(harness.Patience):
		return b, errors.New("the host agent does not connect")
	}
}

func (b *barePlane) end() error {
	var err error
	if b.host.Process() != nil {
		err = b.host.Stop()
	}
	for i := len(b.ends) - 1; i >= 0; i-- {
		b.ends[i]()
	}
	return err
}

// serve lets any host in, as b's. It acknowledges every event at once.
func (b *barePlane) serve(ctx context.Context, dir string, keys embedded.Keys, audience string) (connected <-chan struct{}, err error) {
	log := slog.New(slog.DiscardHandler)
	bus, err := embedded.StartNATS(ctx, embedded.NATSConfig{Dir: filepath.Join(dir, "nats"), Keys: keys, Log: log})
	if err != nil {
		return nil, err
	}
	b.ends = append(b.ends, bus.Stop)
	if b.conn, err = bus.Connect("bench", log); err != nil {
		return nil, err
	}
	b.ends = append(b.ends, b.conn.Close)
	anybody := func(context.Context, string) (protocol.HostID, error) { return b.id, nil }
	callout := &dispatch.Callout{Conn: b.conn, Issuer: keys.Issuer, Seal: keys.Seal, Account: embedded.Account,
		HostByKey: anybody, Log: log, Now: time.Now}
	bridge := &dispatch.Bridge{Conn: b.conn, Dial: bus.Dial, HostByKey: anybody, Away: func(context.Context, protocol.HostID) {}, Log: log,
		Proofs: &dispatch.Proofs{Audience: audience, Now: time.Now}}
	hellos := make(chan struct{}, 16)
	hello := func(ctx context.Context, _ protocol.HostID, _ protocol.HelloRequest) (protocol.HelloReply, error) {
		hellos <- struct{}{}
		return protocol.HelloReply{LastSeq: map[protocol.SessionID]uint64{}}, ctx.Err()
	}
	for _, listen := range []func() (stop func(), err error){
		func() (func(), error) { return callout.Serve(ctx) },
		bridge.Listen,
		func() (func(), error) { return dispatch.On(ctx, b.conn, log, protocol.Hello, hello) },
		func() (func(), error) { return dispatch.On(ctx, b.conn, log, protocol.Events, takeEvents) },
	} {
		stop, err := listen()
		if err != nil {
			return nil, err
		}
		b.ends = append(b.ends, stop)
	}
	web := httptest.NewServer(http.HandlerFunc(bridge.ServeHTTP))
	b.ends = append(b.ends, web.Close)
	b.url = web.URL
	return hellos, nil
}

func takeEvents(_ context.Context, _ protocol.HostID, r protocol.EventsRequest) (protocol.EventsReply, error) {
	return protocol.EventsReply{LastSeq: r.Events[len(r.Events)-1].Seq}, nil
}

// enrol makes the machine a host without asking anybody.
func (b *barePlane) enrol(ctx context.Context, key nkeys.KeyPair, audience string) error {
	if err := b.host.Prepare(ctx); err != nil {
		return err
	}
	public, err := key.PublicKey()
	if err != nil {
		return err
	}
	seed, err := key.Seed()
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]string{
		"url": b.url, "host_id": string(b.id), "name": b.host.Name, "audience": audience, "nkey": public,
	})
	if err != nil {
		return err
	}
	dir := filepath.Join(b.host.Home.Dir, ".switchboard", "host")
	return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "host.json"), config, 0o600),
		os.WriteFile(filepath.Join(dir, public+".nkey"), seed, 0o600))
}

// startSession returns when the agent has started.
func (b *barePlane) startSession(ctx context.Context) (protocol.SessionID, error) {
	id := protocol.NewSessionID()
	_, err := dispatch.Call(ctx, dispatch.Hosts{Conn: b.conn}, b.id, protocol.CreateSession, protocol.CreateSessionRequest{
		Act: b.act(), Session: id, WorkingDir: b.host.Project(),
	})
	return id, err
}

func (b *barePlane) send(ctx context.Context, session protocol.SessionID) error {
	_, err := dispatch.Call(ctx, dispatch.Hosts{Conn: b.conn}, b.id, protocol.SendMessage, protocol.SendMessageRequest{
		Act: b.act(), Session: session, Message: protocol.MessageID(protocol.NewID()), Text: limitPayload,
	})
	return err
}

func (b *barePlane) act() protocol.Act {
	return protocol.Act{Command: protocol.CommandID(protocol.NewID()), Actor: "bench"}
}
