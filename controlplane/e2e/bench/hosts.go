package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

const (
	manyHosts = 200
	// settle lets every host say that it is there once, and memory that is free go back.
	settle = protocol.HeartbeatEvery + time.Second
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
