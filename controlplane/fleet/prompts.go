package fleet

import (
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
