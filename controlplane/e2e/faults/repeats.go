package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// newKey is an idempotency key that no other act has.
func (w *world) newKey() string { return fmt.Sprintf("key-%d-%d", w.plan.seed, w.unique()) }

// sendAndAgain sends a message as a client does that now and then misses an answer, or is itself called twice: with the
// same key it sends again, at once or later, or even something else.
func (w *world) sendAndAgain(ctx context.Context, random *rand.Rand, s *agentSession, text string) {
	key := w.newKey()
	var group sync.WaitGroup
	if random.IntN(10) == 0 {
		group.Go(func() { w.send(ctx, s, text, key, true) })
	}
	w.send(ctx, s, text, key, false)
	group.Wait()
	switch random.IntN(24) {
	case 0, 1, 2:
		wait(ctx, between(random, 0, 3*time.Second))
		w.send(ctx, s, text, key, true)
	case 3:
		w.send(ctx, s, w.words(random), key, true)
	}
}

// checkKeys: of all that was sent with one key, one thing was done.
func (w *world) checkKeys(f facts) (found []violation) {
	first := map[string]*act{}
	for _, a := range w.history.acts {
		if a.key == "" || a.last() != done || f.failed(a) {
			continue
		}
		before := first[a.key]
		if before == nil {
			first[a.key] = a
			continue
		}
		if before.kind != a.kind || before.text != a.text || before.message != a.message || before.session != a.session {
			found = append(found, violation{"what has the same key is done once", "key " + a.key, []string{before.String(), a.String()}})
		}
	}
	return found
}

// failed reports whether nothing came of what an act was told to be on its way, so that its key may be used again.
func (f facts) failed(a *act) bool {
	if a.kind == "send_message" {
		return f.messages[a.message].Status == "failed"
	}
	for _, s := range f.sessions {
		if s.ID == a.session {
			return s.State == "exited" && s.LastSeq == 0
		}
	}
	return true
}
