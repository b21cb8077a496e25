package session

import (
	"context"
	"time"

	"switchboard/hostagent/protocol"
)

// turnPatience is how long a command waits for its turn, which is as long as its sender waits for an answer. Those that
// wait may not take every place that this host has for commands.
const turnPatience = 5 * time.Second

// lock is a mutex for which nobody has to wait for ever.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// wait returns when the lock is the caller's, who has it until he calls free.
func (l lock) wait(ctx context.Context) (free func(), err error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// try is wait for who goes on without it.
func (l lock) try() (free func(), ok bool) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, true
	default:
		return nil, false
	}
}

// take is wait for a command. Its error says what goes on meanwhile.
func (l lock) take(ctx context.Context, meanwhile string) (free func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, turnPatience)
	defer cancel()
	free, err = l.wait(ctx)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeUnavailable, "%s; nothing was done, try again later", meanwhile)
	}
	return free, nil
}

// What a command may have to wait for.
const (
	whileStarting = "another session is being started on this host, and has not come up yet"
	whileActing   = "another command to this session has not ended yet"
	whileTyping   = "something is being typed into this session"
)
