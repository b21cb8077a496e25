package dispatch

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
)

// queue is the group in which all replicas listen: each message reaches one of them.
const queue = "controlplane"

// listen handles each message on subject in a goroutine of its own, at most so many at once; more wait in NATS.
// Stop takes no new ones and returns when those in hand are done.
func listen(conn *nats.Conn, subject string, atOnce int, handle func(*nats.Msg)) (stop func(), err error) {
	var handling sync.WaitGroup
	room := make(chan struct{}, atOnce)
	stopping := make(chan struct{})
	subscription, err := conn.QueueSubscribe(subject, queue, func(message *nats.Msg) {
		select {
		case room <- struct{}{}:
		case <-stopping:
			return
		}
		handling.Go(func() {
			defer func() { <-room }()
			handle(message)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", subject, err)
	}
	delivered := make(chan struct{}) // closed after the last call of the subscription's function
	subscription.SetClosedHandler(func(string) { close(delivered) })
	// Whoever subscribes expects to be reached from now on.
	if err := conn.Flush(); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", subject, err)
	}
	return sync.OnceFunc(func() {
		close(stopping)
		_ = subscription.Unsubscribe() // a closed connection has no subscriptions left
		<-delivered
		handling.Wait()
	}), nil
}
