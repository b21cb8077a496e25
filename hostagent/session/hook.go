package session

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
)

// Hook is `hostagent hook <session directory> <event>`, which the agent runs for each of its hooks. It hands the
// payload to the session's holder; the hook of a question waits, and writes the answer. The hook of a tool's call
// judges that call by the policy in force, by itself: that needs neither host agent nor holder.
func Hook(ctx context.Context, dir, event string, payload io.Reader, reply io.Writer) error {
	kinds := agentkind.All()
	text, err := holder.ReadPayload(payload)
	if kind, ok := agentkind.Judging(kinds, event); ok {
		return errors.Join(err, judge(ctx, kind, dir, event, text, reply))
	}
	if err != nil {
		return err
	}
	call := holder.HookCall{Event: event, Hold: agentkind.Holds(kinds, event), Payload: text}
	if agentkind.ReplacesForm(kinds, event, text) {
		call.Hold = true
		patience, cancel := context.WithTimeout(ctx, formPatience)
		defer cancel()
		ctx = patience
	}
	return holder.SendHook(ctx, dir, call, reply)
}

// formPatience bounds how long a form that was closed at the terminal waits for an answer that is on its way. While the
// host agent runs it lets the hook go at once.
const formPatience = 5 * time.Second

// verdictPatience bounds how long a verdict waits for its entry in the journal. A hook that takes too long is given
// up by the agent, and the call that it was to deny is made.
const verdictPatience = 5 * time.Second

// judge answers nothing where no rule means the call. A payload that could not be read is nil, and any rule may mean
// it.
func judge(ctx context.Context, kind agentkind.Kind, dir, event string, payload []byte, reply io.Writer) error {
	verdict := judged(filepath.Dir(dir), kind.ReadToolCall(payload))
	call := holder.HookCall{Event: event, Payload: payload}
	if verdict.Decision == "" {
		return holder.SendHook(ctx, dir, call, reply)
	}
	var err error
	if call.Verdict, err = json.Marshal(verdict); err != nil {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, verdictPatience)
	defer cancel()
	journalErr := holder.SendHook(patience, dir, call, io.Discard)
	_, err = reply.Write(kind.Verdict(verdict.Decision == policy.Denied, verdict.String()))
	return errors.Join(err, journalErr)
}

func judged(sessions string, call agentkind.ToolCall) policy.Verdict {
	rules, err := policy.InForce(sessions)
	if err != nil {
		return policy.Verdict{Decision: policy.Asked, Why: "the rules cannot be read (" + outgoingLine(err.Error()) + ")"}
	}
	return rules.Judge(PolicyCall(call, sessions))
}

// PolicyCall is the call of a tool by an agent of one of these sessions, in the policy's words.
func PolicyCall(c agentkind.ToolCall, sessions string) policy.Call {
	return policy.Call{
		Own:   []string{sessions, filepath.Join(filepath.Dir(sessions), policy.File)},
		Tools: c.Tools, Command: c.Command, Paths: c.Paths, URL: c.URL, Subagent: c.Subagent, Dir: c.Dir, Unread: c.Unread,
	}
}
