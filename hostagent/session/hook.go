package session

import (
	"context"
	"io"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
)

// Hook is `hostagent hook <session directory> <event>`, which the agent runs for each of its hooks. It hands the
// payload to the session's holder; only the hook of a question waits, and writes the answer.
func Hook(ctx context.Context, dir, event string, payload io.Reader, reply io.Writer) error {
	return holder.SendHook(ctx, dir, event, agentkind.Holds(agentkind.All(), event), payload, reply)
}
