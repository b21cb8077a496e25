package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
	"switchboard/hostagent/socket"
)

// localRequest is what this user's own commands ask of the running host agent, one for each connection.
type localRequest struct {
	Adopt *session.Adoption `json:"adopt,omitempty"` // nil: list what may be adopted
}

type localReply struct {
	Session   protocol.Session    `json:"session"`
	Adoptable []session.Adoptable `json:"adoptable,omitempty"`
	Elsewhere int                 `json:"elsewhere,omitempty"` // how many more are where the policy does not allow them
	Error     *protocol.Error     `json:"error,omitempty"`
}

// Limits of the socket.
const (
	localAtOnce  = 8
	localRequire = 5 * time.Second // for the request to come, and the answer to be taken
	localTime    = time.Minute     // for what it asks
	maxLocal     = 64 << 10        // bytes of a request
)

// listenLocally serves this user's commands on a Unix socket until stop is called. The caller holds the directory's
// lock.
func listenLocally(env environment, m *session.Manager) (stop func(), err error) {
	dir, name := env.dir.socket()
	listener, err := socket.Listen(env.ctx, dir, name)
	if err != nil {
		return nil, fmt.Errorf("the host agent's socket: %w", err)
	}
	var group sync.WaitGroup
	group.Go(func() { serveLocally(env, m, listener) })
	return func() {
		listener.Close()
		group.Wait()
	}, nil
}

// serveLocally returns when the listener is closed and what was begun is done.
func serveLocally(env environment, m *session.Manager, listener net.Listener) {
	var connections sync.WaitGroup
	defer connections.Wait()
	room := make(chan struct{}, localAtOnce)
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			env.log.Warn("local connection not accepted", "err", err)
			time.Sleep(time.Second) // there are no file descriptors left
			continue
		}
		room <- struct{}{}
		connections.Go(func() {
			defer func() { <-room }()
			defer connection.Close()
			if err := answerLocally(env, m, connection); err != nil {
				env.log.Warn("local request not answered", "err", err)
			}
		})
	}
}

func answerLocally(env environment, m *session.Manager, connection net.Conn) error {
	if err := socket.SamePeer(connection); err != nil {
		return err
	}
	var request localRequest
	if err := connection.SetReadDeadline(time.Now().Add(localRequire)); err != nil {
		return err
	}
	if err := json.NewDecoder(io.LimitReader(connection, maxLocal)).Decode(&request); err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	// What was asked for is done, whether or not whoever asked waits for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(env.ctx), localTime)
	defer cancel()
	reply, err := carryOut(ctx, env, m, request)
	if err != nil {
		reply.Error = localError(err)
	}
	if err := connection.SetWriteDeadline(time.Now().Add(localRequire)); err != nil {
		return err
	}
	return json.NewEncoder(connection).Encode(reply)
}

func carryOut(ctx context.Context, env environment, m *session.Manager, request localRequest) (reply localReply, err error) {
	if request.Adopt == nil {
		reply.Adoptable, reply.Elsewhere, err = m.Adoptables()
		return reply, err
	}
	adoption := *request.Adopt
	adoption.By = userName(env.getenv)
	reply.Session, err = m.Adopt(ctx, adoption)
	return reply, err
}

func localError(err error) *protocol.Error {
	if known := (*protocol.Error)(nil); errors.As(err, &known) {
		return known
	}
	return protocol.Errorf(protocol.CodeInternal, "%v", err)
}

// ask has the running host agent do something.
func (d hostDir) ask(ctx context.Context, request localRequest) (localReply, error) {
	var reply localReply
	dir, name := d.socket()
	connection, err := socket.Dial(ctx, dir, name)
	if errors.Is(err, socket.ErrGone) {
		return reply, d.notRunning()
	}
	if err != nil {
		return reply, err
	}
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { connection.Close() })
	defer stop()
	err = json.NewEncoder(connection).Encode(request)
	if err == nil {
		err = json.NewDecoder(connection).Decode(&reply)
	}
	switch {
	case ctx.Err() != nil:
		return reply, ctx.Err()
	case err != nil:
		return reply, fmt.Errorf("the host agent went away before it answered: %w", err)
	case reply.Error != nil:
		return reply, reply.Error
	}
	return reply, nil
}

// notRunning says why nobody answers.
func (d hostDir) notRunning() error {
	if _, err := d.load(); err != nil {
		return err
	}
	if _, err := os.Stat(d.removed()); err == nil {
		return errors.New("this host was removed by an administrator, so no host agent runs here")
	}
	if d.runs() {
		return errors.New("the host agent that runs here does not answer: it may be of an earlier version, which knows no adopt; restart it")
	}
	return errors.New("no host agent runs here, which is what follows sessions: start it (`hostagent run`, or `hostagent install`)")
}
