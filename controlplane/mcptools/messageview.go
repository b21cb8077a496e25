package mcptools

import (
	"time"

	"switchboard/controlplane/fleet"
)

// messageView is a message as tools show it that are not about its text.
type messageView struct {
	MessageID string    `json:"message_id"`
	Text      string    `json:"text" doc:"in one line, its beginning only"`
	Status    string    `json:"status"`
	Detail    string    `json:"detail,omitempty" doc:"why"`
	SentAt    time.Time `json:"sent_at"`
}

func viewMessages(messages []fleet.Message) []messageView {
	views := make([]messageView, len(messages))
	for i, m := range messages {
		views[i] = viewMessage(m)
	}
	return views
}

func viewMessage(m fleet.Message) messageView {
	return messageView{
		MessageID: string(m.ID), Text: plainLine(m.Text), Status: string(m.Status), Detail: plainLine(m.Detail), SentAt: m.CreatedAt.UTC(),
	}
}
