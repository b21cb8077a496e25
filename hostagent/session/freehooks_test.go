package session

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"testing"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// TestHookIsLetGoAgain: a hook could not be let go, since the run was about to be followed anew. It is let go then.
func TestHookIsLetGoAgain(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var waiting, freeing sync.WaitGroup
	waiting.Go(func() {
		call := holder.HookCall{Event: "PermissionRequest", Hold: true, Payload: []byte("{}")}
		if err := holder.SendHook(ctx, e.dir, call, io.Discard); err != nil {
			t.Error(err)
		}
	})
	var hook holder.Hook
	check(t, json.Unmarshal(e.untilNoted(holder.KindHook).Body, &hook))
	e.view(func(f *fold) {
		f.open(&prompt{Prompt: protocol.Prompt{ID: protocol.PromptID(hook.ID)}, held: true, settlement: &protocol.Settlement{}})
	})
	over, end := context.WithCancel(ctx)
	end()
	_ = e.freeHooks(over, e.client)
	again, stop := context.WithCancel(ctx)
	freeing.Go(func() { _ = e.freeHooks(again, e.client) })
	waiting.Wait()
	stop()
	freeing.Wait()
	if ctx.Err() != nil {
		t.Error("the hook waits still")
	}
}
