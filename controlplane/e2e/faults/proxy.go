package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// proxy passes connections on to one of several servers, in turns, past those that do not listen, and can cut or
// freeze them all.
type proxy struct {
	listener net.Listener
	targets  []string
	group    sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	open    map[net.Conn]bool
	next    int
	thawed  [2]chan struct{} // closed while bytes flow to the servers, and back
	closing bool
}

func startProxy(ctx context.Context, targets ...string) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, targets: targets, open: map[net.Conn]bool{}}
	for i := range p.thawed {
		p.thawed[i] = make(chan struct{})
		close(p.thawed[i])
	}
	p.group.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.group.Go(func() { p.serve(client) })
	}
}

// dialTime is how long a server may take to accept: one that is frozen does it at once, one that is gone refuses.
const dialTime = time.Second

func (p *proxy) dial() (net.Conn, error) {
	p.mu.Lock()
	first := p.next
	p.next++
	p.mu.Unlock()
	var err error
	for i := range p.targets {
		server, failed := net.DialTimeout("tcp", p.targets[(first+i)%len(p.targets)], dialTime) //nolint:noctx // bounded
		if failed == nil {
			return server, nil
		}
		err = errors.Join(err, failed)
	}
	return nil, err
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := p.dial()
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(client, server) {
		return
	}
	defer p.forget(client, server)
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, there) })
	both.Go(func() { p.pass(client, server, back) })
	both.Wait()
}

// direction is where bytes go.
type direction int

// The directions, as clients see them.
const (
	there direction = iota
	back
)

func (p *proxy) pass(to, from net.Conn, way direction) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		thawed := p.thawed[way]
		p.mu.Unlock()
		<-thawed
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	return !p.closing
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// freeze lets nothing through in these directions, and says so to nobody, until thaw.
func (p *proxy) freeze(ways ...direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, way := range ways {
		p.thawed[way] = make(chan struct{})
	}
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, thawed := range p.thawed {
		select {
		case <-thawed:
		default:
			close(thawed)
		}
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.thaw()
	p.cut()
	p.group.Wait()
}
