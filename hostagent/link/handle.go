package link

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// handler answers one command's body with a reply's.
type handler func(ctx context.Context, body []byte) ([]byte, error)

// Limits on commands.
const (
	commandsAtOnce  = 32
	commandsWaiting = 256              // for their turn
	turnTime        = 5 * time.Second  // to wait for it: as long as a caller waits for the reply
	commandTime     = 30 * time.Second // its caller has gone long before; this frees what hangs
)

// Handle answers one command. Several may be answered at the same time, of the same session too.
func Handle[Request, Reply any](l *Link, command protocol.Command[Request, Reply],
	handle func(context.Context, Request) (Reply, error),
) {
	if l.handlers == nil {
		l.handlers = map[string]handler{}
	}
	l.handlers[command.Name] = func(ctx context.Context, body []byte) ([]byte, error) {
		var request Request
		if err := json.Unmarshal(body, &request); err != nil {
			return nil, protocol.Errorf(protocol.CodeInvalid, "%s: %v", command.Name, err)
		}
		act, acts := any(request).(interface {
			Overdue(now time.Time, grace time.Duration) bool
		})
		if acts && act.Overdue(l.clock.now()) {
			return nil, protocol.Errorf(protocol.CodeUnavailable, "%s came too late, and was not begun", command.Name)
		}
		reply, err := handle(ctx, request)
		if err != nil {
			return nil, err
		}
		return json.Marshal(reply)
	}
}

// answer takes the command that a message asks for in hand, if there is room: never so many that they starve the
// host.
func (l *Link) answer(ctx context.Context, message *nats.Msg) {
	select {
	case l.inHand <- struct{}{}:
	default:
		l.reply(ctx, message, nil, busy(commandsAtOnce+commandsWaiting))
		return
	}
	l.answering.Go(func() {
		defer func() { <-l.inHand }()
		body, err := l.inTurn(ctx, message)
		l.reply(ctx, message, body, err)
	})
}

func busy(commands int) error {
	return protocol.Errorf(protocol.CodeUnavailable, "the host is busy with %d commands; nothing was done", commands)
}

// inTurn carries the command out when few enough others are.
func (l *Link) inTurn(ctx context.Context, message *nats.Msg) ([]byte, error) {
	turn, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	select {
	case l.room <- struct{}{}:
	case <-turn.Done(): // its caller has gone, or this host agent is about to end
		return nil, busy(commandsAtOnce)
	}
	defer func() { <-l.room }()
	// What has begun runs to its end, whether or not the connection is still there.
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), commandTime)
	defer end()
	return l.carryOut(ctx, message)
}

func (l *Link) carryOut(ctx context.Context, message *nats.Msg) (body []byte, err error) {
	defer func() { // a command that fails must not take the other sessions' host along
		if caught := recover(); caught != nil {
			l.Log.ErrorContext(ctx, "command panicked", "subject", message.Subject, "panic", caught, "stack", string(debug.Stack()))
			err = protocol.Errorf(protocol.CodeInternal, "the host agent failed in this command; its log says more")
		}
	}()
	name := strings.TrimPrefix(message.Subject, protocol.CommandSubject(l.Host, ""))
	handle, known := l.handlers[name]
	if !known {
		return nil, protocol.Errorf(protocol.CodeInvalid, "this host agent (version %s) does not know the command %.40q; upgrade it",
			l.Agent, name)
	}
	return handle(ctx, message.Data)
}

func (l *Link) reply(ctx context.Context, message *nats.Msg, body []byte, err error) {
	reply := nats.NewMsg(message.Reply)
	reply.Data = body
	if err != nil {
		reply.Header.Set(protocol.ErrorHeader, "1")
		reply.Data, _ = json.Marshal(l.asError(ctx, message.Subject, err)) // two strings always marshal
	}
	if message.Reply == "" {
		return
	}
	if err := message.RespondMsg(reply); err != nil {
		l.Log.WarnContext(ctx, "command not answered", "subject", message.Subject, "err", err)
	}
}

// asError keeps what crosses. The text of an unexpected error may hold what does not belong elsewhere.
func (l *Link) asError(ctx context.Context, subject string, err error) *protocol.Error {
	var refusal *protocol.Error
	if errors.As(err, &refusal) {
		return refusal
	}
	l.Log.ErrorContext(ctx, "command failed", "subject", subject, "err", err)
	return protocol.Errorf(protocol.CodeInternal, "the host agent failed in this command; its log says more")
}
