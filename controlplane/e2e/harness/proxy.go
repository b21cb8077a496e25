package harness

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Proxy passes connections on to one of several servers, in turns, past those that do not listen, and can cut or
// Freeze them all.
type Proxy struct {
	listener net.Listener
	Targets  []string
	group    sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	open    map[net.Conn]bool
	next    int
	thawed  [2]chan struct{} // closed while bytes flow to the servers, and back
	closing bool
}

// StartProxy begins to listen.
func StartProxy(ctx context.Context, targets ...string) (*Proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, Targets: targets, open: map[net.Conn]bool{}}
	for i := range p.thawed {
		p.thawed[i] = make(chan struct{})
		close(p.thawed[i])
	}
	p.group.Go(p.accept)
	return p, nil
}

// Address is where it listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

func (p *Proxy) accept() {
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

func (p *Proxy) dial() (net.Conn, error) {
	p.mu.Lock()
	first := p.next
	p.next++
	p.mu.Unlock()
	var err error
	for i := range p.Targets {
		server, failed := net.DialTimeout("tcp", p.Targets[(first+i)%len(p.Targets)], dialTime) //nolint:noctx // bounded
		if failed == nil {
			return server, nil
		}
		err = errors.Join(err, failed)
	}
	return nil, err
}

func (p *Proxy) serve(client net.Conn) {
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
	both.Go(func() { p.pass(server, client, There) })
	both.Go(func() { p.pass(client, server, Back) })
	both.Wait()
}

// Direction is where bytes go.
type Direction int

// The directions, as clients see them.
const (
	There Direction = iota
	Back
)

func (p *Proxy) pass(to, from net.Conn, way Direction) {
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

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	return !p.closing
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// Freeze lets nothing through in these Directions, and says so to nobody, until thaw.
func (p *Proxy) Freeze(ways ...Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, way := range ways {
		select {
		case <-p.thawed[way]:
			p.thawed[way] = make(chan struct{})
		default: // frozen already: who waits for that waits for the same
		}
	}
}

// Thaw lets everything through again.
func (p *Proxy) Thaw() {
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

// Close ends it and all connections.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.Thaw()
	p.Cut()
	p.group.Wait()
}
