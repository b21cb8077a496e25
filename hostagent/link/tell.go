package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// tell says hello, then that the host is there and what happens in its sessions, until ctx or the connection ends.
func (l *Link) tell(ctx context.Context, conn *nats.Conn) {
	known, ok := l.hello(ctx, conn)
	if !ok {
		return
	}
	l.Log.InfoContext(ctx, "connected to the control plane", "url", l.URL)
	var telling sync.WaitGroup
	telling.Go(func() { l.heartbeats(ctx, conn) })
	if l.Recordings != nil {
		telling.Go(func() { l.recordings(ctx, conn) })
	}
	telling.Go(func() { l.offers(ctx, conn) })
	l.events(ctx, conn, known)
	telling.Wait()
}

// hello repeats itself until it is heard: the control plane may be there while its database is not.
func (l *Link) hello(ctx context.Context, conn *nats.Conn) (map[protocol.SessionID]uint64, bool) {
	pause := pauses{}
	for {
		reply, err := request(ctx, l, conn, protocol.Hello, l.describe())
		if err == nil {
			l.clock.set(reply.Now)
			return reply.LastSeq, true
		}
		if conn.IsClosed() || ctx.Err() != nil {
			return nil, false
		}
		l.Log.WarnContext(ctx, "hello refused", "err", err)
		select {
		case <-ctx.Done():
			return nil, false
		case <-time.After(pause.next()):
		}
	}
}

func (l *Link) describe() protocol.HelloRequest {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown"
	}
	kinds, roots, modes := l.Source.Describe()
	return protocol.HelloRequest{
		Version:  protocol.Version,
		Agent:    l.Agent,
		Hostname: hostname,
		OS:       runtime.GOOS,
		Arch:     runtime.GOARCH,
		Kinds:    kinds,
		Roots:    roots,
		Modes:    modes,
		Sessions: greeting(l.Source.Sessions()),
	}
}

// offers says hello again when the host offers something else than before. What the control plane has of events it has
// said before, so this reply is of no interest.
func (l *Link) offers(ctx context.Context, conn *nats.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.Offers:
		}
		if _, ok := l.hello(ctx, conn); !ok {
			return
		}
	}
}

func (l *Link) heartbeats(ctx context.Context, conn *nats.Conn) {
	ticker := time.NewTicker(protocol.HeartbeatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := request(ctx, l, conn, protocol.Heartbeat, protocol.HeartbeatRequest{Sessions: l.living()}); err != nil {
			l.Log.DebugContext(ctx, "heartbeat not answered", "err", err)
		}
	}
}

func (l *Link) living() int {
	n := 0
	for _, session := range l.Source.Sessions() {
		if session.State != protocol.StateExited {
			n++
		}
	}
	return n
}

// request tells the control plane one thing and waits until it is committed.
func request[Request, Reply any](ctx context.Context, l *Link, conn *nats.Conn,
	report protocol.Report[Request, Reply], told Request,
) (Reply, error) {
	var reply Reply
	body, err := json.Marshal(told)
	if err != nil {
		return reply, fmt.Errorf("%s: %w", report.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	answer, err := conn.RequestWithContext(ctx, protocol.EventSubject(l.Host, report.Name), body)
	if errors.Is(err, nats.ErrNoResponders) {
		return reply, fmt.Errorf("%s: no control plane listens", report.Name)
	}
	if err != nil {
		return reply, fmt.Errorf("%s: %w", report.Name, err)
	}
	if answer.Header.Get(protocol.ErrorHeader) != "" {
		refusal := &protocol.Error{}
		if err := json.Unmarshal(answer.Data, refusal); err != nil {
			return reply, fmt.Errorf("%s: the control plane's error: %w", report.Name, err)
		}
		return reply, fmt.Errorf("%s: %w", report.Name, refusal)
	}
	if err := json.Unmarshal(answer.Data, &reply); err != nil {
		return reply, fmt.Errorf("%s: the control plane's answer: %w", report.Name, err)
	}
	return reply, nil
}
