package fleet

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Prompt is a question that an agent waits on, and what has become of it.
type Prompt struct {
	protocol.Prompt
	Handle     string // of its session
	Host       protocol.HostID
	HostName   string
	Status     protocol.PromptStatus
	AnsweredBy auth.UserID // whose answer was handed over
	Answerer   string      // his name
	AnsweredAt *time.Time
	Answer     *protocol.Answer
	Settlement *protocol.Settlement
}

// PromptStore keeps prompts.
type PromptStore interface {
	Prompt(ctx context.Context, id protocol.PromptID) (Prompt, error)
	// OpenPrompts are those of live sessions that the person may see, oldest first; host and session narrow them.
	OpenPrompts(ctx context.Context, user auth.UserID, host protocol.HostID, session protocol.SessionID) ([]Prompt, error)
	// ClaimPrompt makes the answer the one that counts. ErrConflict: another one does already, or the prompt is not
	// the one that was read; the prompt that comes with it says whose.
	ClaimPrompt(ctx context.Context, claim Claim) (Prompt, error)
	// ReleasePrompt takes a claim back, since nothing was done with it.
	ReleasePrompt(ctx context.Context, claim Claim) error
}

// Claim is one answer's attempt to be the first.
type Claim struct {
	Prompt  protocol.PromptID
	Digest  string // of the prompt that was read
	By      auth.UserID
	At      time.Time
	Answer  protocol.Answer
	Command protocol.CommandID
}
