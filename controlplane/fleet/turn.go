package fleet

import (
	"context"
	"time"

	"switchboard/controlplane/dispatch"
)

// turnWait is how long a message waits for those before it: until their calls have been given up.
const turnWait = dispatch.CallTimeout

// awaitTurn waits until the host has said something of the messages that were kept before m: another replica may still
// be sending them, or nobody yet knows whether the host has them. Messages that overtake each other say something else.
func (f *Fleet) awaitTurn(ctx context.Context, m Message) error {
	if len(m.Behind) == 0 {
		return nil
	}
	changed, stop, err := f.Changes.Watch(m.Session)
	if err != nil {
		return err
	}
	defer stop()
	giveUp := time.After(turnWait)
	again := time.NewTicker(backstop)
	defer again.Stop()
	for {
		if m.Behind, err = f.Store.Unheard(ctx, m.Behind); err != nil || len(m.Behind) == 0 {
			return err
		}
		select {
		case <-changed:
		case <-again.C:
		case <-giveUp:
			return refuse(ErrUnavailable, "message %s to this session is still on its way to the host; this one would overtake it, so nothing was done", m.Behind[0])
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
