package dispatch

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// Changes tells everyone who waits, on every replica, that something is new in Postgres. It carries no facts:
// who hears of a change reads the store.
type Changes struct{ Conn *nats.Conn }

func changeSubject(host protocol.HostID, session protocol.SessionID) string {
	return fmt.Sprintf("v1.change.%s.%s", host, session)
}

// Publish says that something about the session is committed. A lost word costs its listeners only time, since
// they also look by themselves now and then.
func (c Changes) Publish(host protocol.HostID, session protocol.SessionID) {
	_ = c.Conn.Publish(changeSubject(host, session), nil)
}

// Watch returns a channel that gets a value after each change of the given sessions, or of all if none is given;
// several changes may come as one. Stop ends it. Watch before reading, so that nothing falls in between.
func (c Changes) Watch(sessions ...protocol.SessionID) (changed <-chan struct{}, stop func(), err error) {
	subjects := []string{"v1.change.*.*"}
	if len(sessions) > 0 {
		subjects = subjects[:0]
	}
	for _, session := range sessions {
		subjects = append(subjects, "v1.change.*."+string(session))
	}
	signal := make(chan struct{}, 1)
	var subscriptions []*nats.Subscription
	stop = sync.OnceFunc(func() {
		for _, s := range subscriptions {
			_ = s.Unsubscribe() // a closed connection has no subscriptions left
		}
	})
	for _, subject := range subjects {
		s, err := c.Conn.Subscribe(subject, func(*nats.Msg) {
			select {
			case signal <- struct{}{}:
			default: // one is waiting to be read already
			}
		})
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("watch %s: %w", subject, err)
		}
		subscriptions = append(subscriptions, s)
	}
	return signal, stop, nil
}
