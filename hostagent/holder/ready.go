package holder

import (
	"context"
	"net"
)

// line is a connection that a LookAhead has left open: the holder waits for a request on it.
type line struct {
	net.Conn
	end func()
}

func (c *Client) keep(l *line) {
	if older := c.ready.Swap(l); older != nil {
		older.end()
	}
}

// openReady is open, on the connection that is kept if there is one: it saves the holder from being woken twice.
func (c *Client) openReady(ctx context.Context, r request, payload []byte) (connection net.Conn, end func(), err error) {
	l := c.ready.Swap(nil)
	if l == nil {
		return c.open(ctx, r, payload)
	}
	stop := context.AfterFunc(ctx, l.end)
	end = func() {
		stop()
		l.end()
	}
	if err := writeRequest(l, r, payload); err != nil {
		end()
		return c.open(ctx, r, payload) // the holder has not had the whole request, and so has done nothing
	}
	return l, end, nil
}
