package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// reportsAtOnce bounds how many reports of one kind are handled at a time. A host sends a session's next events
// only when the last ones are answered, so what belongs in order stays in order.
const reportsAtOnce = 16

// On handles one kind of report from every host until stop. The host is the one whose subject was published to,
// which NATS lets no other host do. A report that cannot be handled gets an error, and its host keeps it and tries
// again. One that does not say whose it is, or whose answer would go to anybody else, is dropped.
func On[Request, Reply any](ctx context.Context, conn *nats.Conn, log *slog.Logger,
	report protocol.Report[Request, Reply],
	handle func(context.Context, protocol.HostID, Request) (Reply, error),
) (stop func(), err error) {
	var hands inHand
	return listen(conn, protocol.ReportSubject(report.Name), reportsAtOnce, func(message *nats.Msg) {
		host, _, err := protocol.ParseSubject(message.Subject)
		if err != nil || !answerable(host, message.Reply) {
			log.WarnContext(ctx, "report dropped", "subject", message.Subject, "reply", message.Reply, "err", err)
			return
		}
		var body []byte
		leave, err := hands.enter(host)
		if err == nil {
			body, err = answerReport(ctx, host, message, handle)
			leave()
		}
		reply := nats.NewMsg(message.Reply)
		reply.Data = body
		if err != nil {
			log.Log(ctx, weight(err), "report refused", "subject", message.Subject, "err", err)
			reply.Header.Set(protocol.ErrorHeader, "1")
			reply.Data, _ = json.Marshal(asError(err)) // two strings always marshal
		}
		if message.Reply == "" {
			return
		}
		if err := conn.PublishMsg(reply); err != nil {
			log.WarnContext(ctx, "report not answered", "subject", message.Subject, "err", err)
		}
	})
}

// weight keeps a host that floods us from flooding the log too.
func weight(err error) slog.Level {
	if errors.Is(err, errTooMany) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// answerable reports whether an answer goes where only its host hears it, or is not wanted. A host may name any
// subject for it, and we may publish to any: the answer could be another host's report, or a command to it.
func answerable(host protocol.HostID, reply string) bool {
	return reply == "" || strings.HasPrefix(reply, protocol.InboxPrefix(host)+".")
}

func answerReport[Request, Reply any](ctx context.Context, host protocol.HostID, message *nats.Msg,
	handle func(context.Context, protocol.HostID, Request) (Reply, error),
) (body []byte, err error) {
	defer func() { // one host's bytes must not end the control plane for all
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	var request Request
	if err := json.Unmarshal(message.Data, &request); err != nil {
		return nil, protocol.Errorf(protocol.CodeInvalid, "report: %v", err)
	}
	reply, err := handle(ctx, host, request)
	if err != nil {
		return nil, err
	}
	return json.Marshal(reply)
}

// asError keeps what a host may read of an error: its own kind, or only that it failed.
func asError(err error) *protocol.Error {
	var refusal *protocol.Error
	if errors.As(err, &refusal) {
		return refusal
	}
	return &protocol.Error{Code: protocol.CodeUnavailable, Message: "not committed; try again"}
}
