package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// crossing is one host's connection over the bridge.
type crossing struct {
	host   protocol.HostID
	nkey   string
	since  int64 // Unix nanoseconds: of two connections of a host the newer is the true one
	socket *websocket.Conn
	server net.Conn
	end    context.CancelCauseFunc // one of the errors below
}

// Why a crossing ends.
var (
	errGone     = errors.New("connection gone")
	errRemoved  = errors.New("host removed")
	errFenced   = errors.New("the host has a newer connection")
	errStopping = errors.New("control plane stopping")
)

// statusFenced is the WebSocket close code (RFC 6455 section 7.4.2, private use) for errFenced.
const statusFenced = 4001

// carry copies bytes both ways until the crossing is ended, by either side or by a cut.
func (b *Bridge) carry(ctx context.Context, c *crossing) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(errGone)
	c.end = end
	if !b.enter(c) {
		_ = c.socket.Close(websocket.StatusGoingAway, errStopping.Error())
		return
	}
	defer b.carrying.Done()
	b.Log.InfoContext(ctx, "host connected", "host", c.host)
	c.socket.SetReadLimit(maxFrame)
	carrying := context.WithoutCancel(ctx) // close ends it, and says why
	var copying sync.WaitGroup
	copying.Go(func() { end(fmt.Errorf("%w: %w", errGone, b.fromHost(carrying, c))) })
	copying.Go(func() { end(fmt.Errorf("%w: %w", errGone, c.toHost(carrying))) })
	b.recheck(ctx, c)

	_ = c.server.Close() // from here on nothing that the host says has any effect
	cause := context.Cause(ctx)
	c.close(cause)
	copying.Wait()
	b.leave(context.WithoutCancel(ctx), c, cause)
	b.Log.InfoContext(ctx, "host disconnected", "host", c.host, "cause", cause)
}

// fromHost passes on what the host says, until it is gone. Most hosts are silent most of the time: only while there is
// something does it take a buffer.
func (b *Bridge) fromHost(ctx context.Context, c *crossing) error {
	for {
		kind, message, err := c.socket.Reader(ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageBinary {
			return errText
		}
		if err := b.copy(c.server, message); err != nil {
			return err
		}
	}
}

var errText = errors.New("the host sent text")

func (b *Bridge) copy(to io.Writer, from io.Reader) error {
	buffer, ok := b.buffers.Get().(*[copyBytes]byte)
	if !ok {
		buffer = new([copyBytes]byte)
	}
	defer b.buffers.Put(buffer)
	// Nothing but Write and Read, or the buffer would not be used.
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, buffer[:])
	return err
}

// toHost passes on what NATS says, until it is gone.
func (c *crossing) toHost(ctx context.Context) error {
	buffer := make([]byte, waitBytes)
	for {
		n, err := c.server.Read(buffer)
		if err != nil {
			return err
		}
		if err := c.socket.Write(ctx, websocket.MessageBinary, buffer[:n]); err != nil {
			return err
		}
	}
}

// recheck returns when the crossing is ended, and ends it itself if the host is no more.
func (b *Bridge) recheck(ctx context.Context, c *crossing) {
	ticker := time.NewTicker(recheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := b.HostByKey(ctx, c.nkey); errors.Is(err, ErrUnknownKey) {
			c.end(errRemoved)
		}
	}
}

// close tells the host why, if it is there to hear it.
func (c *crossing) close(cause error) {
	switch {
	case errors.Is(cause, errRemoved):
		_ = c.socket.Close(websocket.StatusPolicyViolation, cause.Error())
	case errors.Is(cause, errFenced):
		_ = c.socket.Close(statusFenced, cause.Error())
	case errors.Is(cause, errStopping):
		_ = c.socket.Close(websocket.StatusGoingAway, cause.Error())
	}
	_ = c.socket.CloseNow()
}

// enter makes c the host's connection and ends its older ones, here and on the other replicas: what is left of a
// connection that broke unnoticed must not take commands. False when the bridge is stopping.
func (b *Bridge) enter(c *crossing) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return false
	}
	if older := b.live[c.host]; older != nil {
		older.end(errFenced)
	}
	if b.live == nil {
		b.live = map[protocol.HostID]*crossing{}
	}
	b.live[c.host] = c
	b.carrying.Add(1)
	since := strconv.AppendInt(nil, c.since, 10)
	if err := b.Conn.Publish(protocol.CutSubject(c.host), since); err != nil {
		b.Log.Warn("older connections not cut", "host", c.host, "err", err)
	}
	return true
}

// leave forgets c, and reports the host away unless a newer connection has taken its place.
func (b *Bridge) leave(ctx context.Context, c *crossing, cause error) {
	b.mu.Lock()
	last := b.live[c.host] == c
	if last {
		delete(b.live, c.host)
	}
	b.mu.Unlock()
	if !last || errors.Is(cause, errFenced) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, awayTime)
	defer cancel()
	b.Away(ctx, c.host)
}

// Listen makes the bridge hear which hosts to cut. Stop ends all connections and returns when they are gone; no
// new ones are taken after it.
func (b *Bridge) Listen() (stop func(), err error) {
	subscription, err := b.Conn.Subscribe(protocol.CutSubject("*"), b.cut)
	if err != nil {
		return nil, fmt.Errorf("listen for cuts: %w", err)
	}
	if err := b.Conn.Flush(); err != nil {
		return nil, fmt.Errorf("listen for cuts: %w", err)
	}
	return sync.OnceFunc(func() {
		_ = subscription.Unsubscribe() // a closed connection has no subscriptions left
		b.mu.Lock()
		b.stopped = true
		for _, c := range b.live {
			c.end(errStopping)
		}
		b.mu.Unlock()
		b.carrying.Wait()
	}), nil
}

// cut ends the host's connection: at once if it was removed, or if it is older than the one that the message
// tells of.
func (b *Bridge) cut(message *nats.Msg) {
	host := protocol.HostID(strings.TrimPrefix(message.Subject, protocol.CutSubject("")))
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.live[host]
	if c == nil {
		return
	}
	if len(message.Data) == 0 {
		c.end(errRemoved)
		return
	}
	newer, err := strconv.ParseInt(string(message.Data), 10, 64)
	if err == nil && c.since < newer {
		c.end(errFenced)
	}
}
