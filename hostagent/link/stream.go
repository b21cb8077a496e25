package link

import (
	"context"
	"fmt"
	"net"

	"github.com/coder/websocket"
)

// stream is a WebSocket as the stream of bytes that nats.go wants.
type stream struct {
	net.Conn
	socket *websocket.Conn
	end    context.CancelFunc
}

// maxWrite is the most that goes into one WebSocket message; the control plane refuses large ones.
const maxWrite = 64 << 10

func newStream(ctx context.Context, socket *websocket.Conn) *stream {
	// The connection outlives the end of ctx, to say that the host leaves.
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	return &stream{Conn: websocket.NetConn(ctx, socket, websocket.MessageBinary), socket: socket, end: end}
}

func (s *stream) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := s.Conn.Write(p[written:min(len(p), written+maxWrite)])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Read says why the control plane closed the connection, if it said so.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if code := websocket.CloseStatus(err); code != -1 {
		return n, fmt.Errorf("closed by the control plane: %w", err)
	}
	return n, err
}

// wasCut reports whether the control plane closed the connection because it does not want this host any more.
func wasCut(err error) bool { return websocket.CloseStatus(err) == websocket.StatusPolicyViolation }

// Close does not wait for the other side to agree: it may be the one that is gone.
func (s *stream) Close() error {
	defer s.end()
	return s.socket.CloseNow()
}
