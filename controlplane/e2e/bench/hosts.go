package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

const (
	manyHosts = 200
	// settle lets every host say that it is there once, and memory that is free go back.
	settle = protocol.HeartbeatEvery + time.Second
	// hostsPerAddress: an address may enrol 60 at once.
	hostsPerAddress = 50
	// littleGarbage makes a Go program keep hardly more than lives, so that 200 hosts show against what is free.
	littleGarbage = "GOGC=10"
)

// measureHosts measures how much the control plane grows for each host that is connected and does nothing, beside
// how much a bare NATS server grows for each connection.
func measureHosts(ctx context.Context, p *product) ([]row, error) {
	bound, err := growthOfBus(ctx, p)
	if err != nil {
		return nil, err
	}
	if _, err := p.restartPlane(ctx, littleGarbage); err != nil {
		return nil, err
	}
	if err := p.awaitHosts(ctx); err != nil {
		return nil, err
	}
	hosts, err := p.enrolMany(ctx)
	if err != nil {
		return nil, err
	}
	pid := p.plane.Process().PID
	var connecting load
	var stop func()
	ours, err := growth(ctx, pid, func() error {
		connecting, stop, err = connectMany(ctx, hosts)
		return err
	})
	if stop != nil {
		stop()
	}
	if err != nil {
		return nil, err
	}
	return []row{
		{path: fmt.Sprintf("idle host, memory in the control plane (%d)", manyHosts), limit: "bare NATS connection, one subscription",
			bound: kibibytes(bound), ours: kibibytes(ours), ratio: "+" + kibibytes(ours-bound), aim: "≤ +64 KiB"},
		figureRow(fmt.Sprintf("  connect and hello of %d at once", manyHosts), milliseconds(connecting.elapsed)+" ms", ""),
	}, nil
}

// growth is by how much a process's memory grows for each of manyHosts that connect.
func growth(ctx context.Context, pid int, connect func() error) (int64, error) {
	if err := sleep(ctx, settle); err != nil {
		return 0, err
	}
	before, err := proportional(pid)
	if err != nil {
		return 0, err
	}
	if err := connect(); err != nil {
		return 0, err
	}
	if err := sleep(ctx, settle); err != nil {
		return 0, err
	}
	after, err := proportional(pid)
	return (after - before) / manyHosts, err
}

func growthOfBus(ctx context.Context, p *product) (bytes int64, err error) {
	limit, err := startLimit(ctx, p.database.URL(), littleGarbage)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, limit.end()) }()
	var conns []*nats.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	return growth(ctx, limit.server.pid, func() error {
		for range manyHosts {
			conn, err := nats.Connect(limit.bus)
			if err != nil {
				return fmt.Errorf("connecting to the limit's NATS: %w", err)
			}
			conns = append(conns, conn)
			subject := protocol.AllCommands(protocol.HostID(protocol.NewID()))
			if _, err := conn.Subscribe(subject, func(*nats.Msg) {}); err != nil {
				return fmt.Errorf("subscribing at the limit's NATS: %w", err)
			}
		}
		return nil
	})
}

// enrolMany makes hosts as people do: a join token from the web page for each, traded for a registration.
func (p *product) enrolMany(ctx context.Context) ([]*link.Link, error) {
	var links []*link.Link
	for number := range manyHosts {
		token, err := p.browser.JoinToken(ctx, fmt.Sprintf("idle-%d", number))
		if err != nil {
			return nil, err
		}
		l, err := p.enrol(ctx, token, number)
		if err != nil {
			return nil, fmt.Errorf("enrolling host %d: %w", number, err)
		}
		links = append(links, l)
	}
	return links, nil
}

func (p *product) enrol(ctx context.Context, token string, number int) (*link.Link, error) {
	key, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(protocol.EnrolRequest{Version: protocol.Version, Token: token, NKey: public})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.plane.URL()+protocol.EnrolPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{DialContext: from(number / hostsPerAddress).DialContext}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var reply protocol.EnrolReply
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		return nil, err
	}
	return &link.Link{
		URL: p.plane.URL(), Host: reply.Host, Audience: reply.Audience, Key: key, Agent: "bench",
		Source: nothing{}, Log: slog.New(slog.DiscardHandler),
	}, nil
}

// from dials from one of many loopback addresses, where there are many.
func from(street int) *net.Dialer {
	if runtime.GOOS != "linux" {
		return &net.Dialer{}
	}
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+street))}}
}

// connectMany connects all hosts at the same time, and says how long that took. Stop disconnects them.
func connectMany(ctx context.Context, links []*link.Link) (done load, stop func(), err error) {
	running, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	stop = func() {
		cancel()
		group.Wait()
	}
	began := time.Now()
	hellos := make(chan struct{}, len(links))
	for _, l := range links {
		l.Log = slog.New(heard{slog.DiscardHandler, hellos})
		group.Go(func() { _ = l.Run(running) }) // it ends with running
	}
	for range links {
		select {
		case <-hellos:
		case <-time.After(settle):
			return load{}, stop, errors.New("not all hosts came to be connected")
		}
	}
	return load{elapsed: time.Since(began)}, stop, nil
}
