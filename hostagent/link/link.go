// Package link is a host's connection to its control plane: it answers commands and sends each session's events
// until they are acknowledged. Nothing is kept here: what is not acknowledged is read from the sessions again.
package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/hostagent/protocol"
)

// Link connects one host. Its fields and handlers are set before Run.
type Link struct {
	URL        string // the control plane's, such as https://switchboard.example.com
	Host       protocol.HostID
	Audience   string        // what the control plane is called in a proof, as it said at the enrolment
	Key        nkeys.KeyPair // the host's
	Agent      string        // version of the host agent
	Source     Source
	Offers     <-chan struct{} // has a value when Source may describe the host otherwise than before; nil: it never does
	Recordings Recordings      // nil: none are sent
	Transport  *http.Transport // nil: NewTransport's
	Log        *slog.Logger

	handlers  map[string]handler
	clock     clock
	answering sync.WaitGroup
	inHand    chan struct{} // holds a value for each command that is carried out or waits for its turn; made by Run
	room      chan struct{} // holds a value for each that is carried out; made by Run
}

// Source is what there is to tell. Its methods answer from memory or local disk, and are called from several
// goroutines.
type Source interface {
	Sessions() []protocol.Session // all, ended ones too, oldest first
	// Events are up to limit of the session's events after the given seq, in order and without a gap. Each is
	// smaller than 512 KiB, so that it fits into one message.
	Events(id protocol.SessionID, after uint64, limit int) ([]protocol.Event, error)
	// Acknowledged says that the control plane has committed the session's events up to this seq.
	Acknowledged(id protocol.SessionID, seq uint64)
	Changed() <-chan struct{} // has a value when some session has new events
	Describe() (kinds []protocol.Kind, roots, modes []string)
}

// ErrRemoved ends Run: the control plane does not know this host any more.
var ErrRemoved = errors.New("this host was removed by an administrator")

// Limits of a connection.
const (
	connectTime = 15 * time.Second // through proxies, TLS and NATS's own greeting
	requestTime = 10 * time.Second // for a report to be committed
	leaveTime   = 2 * time.Second
	pingEvery   = 5 * time.Second // with maxPings, a dead connection is noticed within protocol.OfflineAfter
	maxPings    = 2
	minPause    = 250 * time.Millisecond
	maxPause    = 10 * time.Second
	steadyTime  = time.Minute // after which a connection is a success, and the next pause short again
)

// Run keeps the host connected until ctx ends, which is no error, or the host is removed: ErrRemoved.
func (l *Link) Run(ctx context.Context) error {
	l.inHand, l.room = make(chan struct{}, commandsAtOnce+commandsWaiting), make(chan struct{}, commandsAtOnce)
	defer l.answering.Wait()
	pause := pauses{}
	cut := false // by the control plane, just now
	for {
		began := time.Now()
		err := l.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrRemoved) {
			return err
		}
		if time.Since(began) > steadyTime {
			pause = pauses{}
		}
		if cut = wasCut(err) && !cut; cut {
			continue // to hear at once whether it was for good
		}
		wait := pause.next()
		l.Log.WarnContext(ctx, "not connected to the control plane", "url", l.URL, "err", err, "again_in", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// pauses grow from minPause to maxPause, each at random between half and the whole, so that hosts that lost the
// same control plane do not come back at the same moment.
type pauses struct{ last time.Duration }

func (p *pauses) next() time.Duration {
	p.last = min(max(2*p.last, minPause), maxPause)
	return p.last/2 + rand.N(p.last/2)
}

// once connects and serves until the connection is lost, or until ctx ends and the host has said that it leaves.
func (l *Link) once(ctx context.Context) error {
	conn, lost, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	deaf, err := l.listen(ctx, conn)
	if err != nil {
		return err
	}
	serving, end := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() { l.tell(serving, conn) })
	select {
	case <-ctx.Done():
	case <-lost:
	}
	end()
	telling.Wait()
	deaf()
	if ctx.Err() != nil {
		l.leave(context.WithoutCancel(ctx), conn)
		return nil
	}
	return errors.Join(errLost, conn.LastError())
}

// listen takes commands until deaf is called, which returns when no more can begin.
func (l *Link) listen(ctx context.Context, conn *nats.Conn) (deaf func(), err error) {
	subscription, err := conn.Subscribe(protocol.AllCommands(l.Host), func(m *nats.Msg) { l.answer(ctx, m) })
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	delivered := make(chan struct{})
	subscription.SetClosedHandler(func(string) { close(delivered) })
	return func() {
		_ = subscription.Unsubscribe() // a lost connection has no subscriptions left
		<-delivered
	}, nil
}

var errLost = errors.New("connection lost")

// leave lets the commands in hand be answered and says that the host is about to be away.
func (l *Link) leave(ctx context.Context, conn *nats.Conn) {
	l.answering.Wait()
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	if _, err := request(ctx, l, conn, protocol.Leaving, protocol.Nothing{}); err != nil {
		l.Log.DebugContext(ctx, "leaving not told", "err", err)
	}
}
