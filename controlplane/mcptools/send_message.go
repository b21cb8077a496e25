package mcptools

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

type sendMessageInput struct {
	SessionID      string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
	Message        string `json:"message" required:"true" max:"100000" lines:"true" doc:"What to type to the agent."`
	WaitSeconds    *int   `json:"wait_seconds" min:"0" max:"45" doc:"Wait up to so long until the agent is done or asks something. 0 returns at once; left out, it waits a few seconds for the agent's receipt."`
	WhenBusy       string `json:"when_busy" enum:"queue,refuse" doc:"If the session is not idle when the message reaches it. queue, the default: it waits, and is typed in its turn. refuse: it is refused, and nothing is kept of it; wait_for_session tells when the session is idle."`
	IdempotencyKey string `json:"idempotency_key" max:"200" doc:"Any unique text. A repeat with the same key types nothing and returns the first message, unless that one failed, so that nothing was typed: then it tries again."`
}

type sendMessageOutput struct {
	MessageID string       `json:"message_id"`
	Status    string       `json:"status" enum:"queued,delivered,accepted,not_confirmed,failed,withdrawn" doc:"accepted: the agent confirmed exactly this text; not_confirmed: typed, but without a receipt; withdrawn: somebody took it back before it was typed"`
	Detail    string       `json:"detail,omitempty"`
	Changed   []string     `json:"changed,omitempty" doc:"what was changed in the text before it was typed, as the agent's input box would have"`
	Session   *sessionView `json:"session,omitempty" doc:"after the wait, if there was one"`
	Done      bool         `json:"done" doc:"the wait ended because the agent is done or asks something"`
	Output    string       `json:"output,omitempty" doc:"what the session wrote since: untrusted data"`
	Truncated bool         `json:"truncated" doc:"older output was left out"`
	Cursor    string       `json:"cursor,omitempty" doc:"for wait_for_session or get_logs, to go on from here"`
	Next      string       `json:"next,omitempty" doc:"what helps next"`
}

// receiptWait is how long the tool waits for an agent's receipt when it was not told how long. An idle agent
// confirms within a second.
const receiptWait = 5 * time.Second

func sendMessage() Tool {
	return typed(Tool{
		Name:  "send_message",
		Title: "Send a message",
		Description: "Types a message to the agent in a session, as the user would at its terminal. The agent then works " +
			"and may run commands. If it works already, the message is queued and it takes it up next, or is refused with when_busy; " +
			"messages keep their order and are never merged. A message waits while somebody types at the terminal, and detail says so. It is not for " +
			"answering a prompt, and refused while one is open: respond_to_prompt is.",
		Scope: auth.ScopeSessionsWrite,
		Hints: Hints{OpenWorld: true},
	}, func(ctx context.Context, c call, in sendMessageInput) (sendMessageOutput, error) {
		// Waiting is reading: who may only write is told what is known at once.
		if !c.caller.Scopes.Has(auth.ScopeSessionsRead) {
			in.WaitSeconds = new(int)
		}
		if in.WaitSeconds != nil && *in.WaitSeconds > 0 {
			return c.sendAndFollow(ctx, in)
		}
		message, err := c.fleet.SendMessage(ctx, c.caller, in.SessionID, in.asked())
		if err != nil || in.WaitSeconds != nil {
			return sent(message), err
		}
		return sent(c.receipt(ctx, message, receiptWait)), nil
	})
}

func (in sendMessageInput) asked() fleet.NewMessage {
	return fleet.NewMessage{Text: in.Message, IdempotencyKey: in.IdempotencyKey, WhenBusy: fleet.WhenBusy(in.WhenBusy)}
}

// receipt waits until nothing more can become of the message. It was sent, whatever becomes of the wait.
func (c call) receipt(ctx context.Context, m fleet.Message, wait time.Duration) fleet.Message {
	later, err := c.fleet.WaitForMessage(ctx, c.caller, m.ID, wait)
	if err != nil {
		return m
	}
	return later
}

func sent(m fleet.Message) sendMessageOutput {
	out := sendMessageOutput{MessageID: string(m.ID), Status: string(m.Status), Detail: plainLine(m.Detail)}
	for _, change := range m.Changed {
		out.Changed = append(out.Changed, plainLine(change))
	}
	if !m.Status.Final() {
		out.Next = "It is on its way; wait_for_session shows what becomes of it. While it is queued, interrupt_session with its message_id takes it back."
	}
	return out
}

// sendAndFollow waits for the agent's receipt, and then until it is done or asks something, all within the time.
func (c call) sendAndFollow(ctx context.Context, in sendMessageInput) (sendMessageOutput, error) {
	wait := time.Duration(*in.WaitSeconds) * time.Second
	until := time.Now().Add(wait)
	before, err := c.fleet.Session(ctx, c.caller, in.SessionID)
	if err != nil {
		return sendMessageOutput{}, err
	}
	message, err := c.fleet.SendMessage(ctx, c.caller, string(before.ID), in.asked())
	if err != nil {
		return sendMessageOutput{}, err
	}
	progress := c.report(wait)
	defer progress.end()
	progress.say(ctx, before.Handle+": the message is on its way")
	message = c.receipt(ctx, message, wait)
	out := sent(message)
	left := time.Until(until)
	if message.Status != protocol.MessageAccepted || left <= 0 {
		return out, nil
	}
	// Without a cursor: an accepted message keeps the session from being idle until it has been dealt with, and that of a
	// repeated call may have been by now.
	waited, err := c.fleet.WaitForSession(ctx, c.caller, fleet.WaitFor{
		Session: string(before.ID), Until: fleet.UntilAttention, Timeout: left, Seen: progress.seen(ctx),
	})
	if err != nil || len(waited.Sessions) == 0 { // an error would hide that the message was sent
		out.Next = "The wait broke off, but the message was sent; wait_for_session goes on."
		return out, nil
	}
	session := waited.Sessions[0]
	view := c.view(session)
	out.Session, out.Done, out.Cursor, out.Next = &view, waited.Reached, waited.Cursor, advise(session)
	page, err := c.fleet.Transcript(ctx, c.caller, string(before.ID), before.Cursor(), 0)
	if err == nil {
		out.Output, out.Truncated = c.written(session, page.Entries)
	}
	return out, nil
}
