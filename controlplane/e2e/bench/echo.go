package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"switchboard/hostagent/holder"
)

// echoer is a viewer who types a key and waits until the terminal shows it.
type echoer struct {
	keys  *io.PipeWriter
	shown chan struct{} // holds a value when there was output
	ended sync.WaitGroup
	err   error // valid after ended
}

func attach(ctx context.Context, client *holder.Client) *echoer {
	input, keys := io.Pipe()
	e := &echoer{keys: keys, shown: make(chan struct{}, 1)}
	e.ended.Go(func() { e.err = client.Attach(ctx, holder.Terminal{Input: input, Output: e}) })
	return e
}

// Write is the terminal's output.
func (e *echoer) Write(p []byte) (int, error) {
	select {
	case e.shown <- struct{}{}:
	default:
	}
	return len(p), nil
}

// keyPause is between two keys: a session in which somebody types without end is not quiet.
const keyPause = 2 * time.Millisecond

// typing is how long keys take to be shown.
func (e *echoer) typing(ctx context.Context, while time.Duration) (load, error) {
	var echoes load
	for began := time.Now(); time.Since(began) < while; {
		if err := sleep(ctx, keyPause); err != nil {
			return echoes, err
		}
		select {
		case <-e.shown: // of something before
		default:
		}
		start := time.Now()
		if _, err := e.keys.Write([]byte("k")); err != nil {
			return echoes, fmt.Errorf("typing: %w", err)
		}
		select {
		case <-e.shown:
			echoes.took = append(echoes.took, time.Since(start))
		case <-ctx.Done():
			return echoes, ctx.Err()
		}
	}
	return echoes, nil
}

func (e *echoer) leave() error {
	_ = e.keys.Close() // never fails
	e.ended.Wait()
	return e.err
}
