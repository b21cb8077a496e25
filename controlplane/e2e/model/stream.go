package model

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// message is the model's answer, as the API gives it without streaming.
type message struct {
	ID           string  `json:"id"`
	Type         string  `json:"type"`
	Role         string  `json:"role"`
	Model        string  `json:"model"`
	Content      []block `json:"content"`
	StopReason   string  `json:"stop_reason,omitempty"`
	StopSequence *string `json:"stop_sequence"`
	Usage        usage   `json:"usage"`
}

type usage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// event is one server-sent event. Its name is in the data too.
type event map[string]any

// stream sends an answer as the API does: each block is opened, filled by deltas and closed, and the stop reason
// comes last. It ends early when the reader goes, as it does when a turn is interrupted.
func stream(ctx context.Context, w http.ResponseWriter, reply message, pace time.Duration) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	out := sender{ctx: ctx, w: w, flush: http.NewResponseController(w).Flush}

	start := reply
	start.Content, start.StopReason, start.Usage.Output = []block{}, "", 1
	out.send("message_start", event{"message": start})
	out.send("ping", event{})
	for i, b := range reply.Content {
		opened, deltas := b.parts()
		out.send("content_block_start", event{"index": i, "content_block": opened})
		for _, delta := range deltas {
			out.pause(pace)
			out.send("content_block_delta", event{"index": i, "delta": delta})
		}
		out.send("content_block_stop", event{"index": i})
	}
	out.send("message_delta", event{
		"delta": event{"stop_reason": reply.StopReason, "stop_sequence": nil}, "usage": event{"output_tokens": reply.Usage.Output},
	})
	out.send("message_stop", event{})
}

// parts takes a block apart into its empty form and what fills it.
func (b block) parts() (opened event, deltas []event) {
	if b.Type == toolUse {
		opened = event{"type": b.Type, "id": b.ID, "name": b.Name, "input": event{}}
		return opened, []event{{"type": "input_json_delta", "partial_json": string(b.Input)}}
	}
	for line := range strings.Lines(b.Text) {
		deltas = append(deltas, event{"type": "text_delta", "text": line})
	}
	return event{"type": "text", "text": ""}, deltas
}

// sender writes events until the first error.
type sender struct {
	ctx   context.Context
	w     http.ResponseWriter
	flush func() error
	err   error
}

func (s *sender) send(name string, e event) {
	if s.err != nil {
		return
	}
	e["type"] = name
	data, err := json.Marshal(e)
	if err != nil {
		s.err = err
		return
	}
	if _, s.err = fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", name, data); s.err == nil {
		s.err = s.flush()
	}
}

func (s *sender) pause(d time.Duration) {
	if d == 0 || s.err != nil {
		return
	}
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
		s.err = s.ctx.Err()
	}
}

// errorTypes are the API's names of its errors. The CLI tries again after a 429 and a 5xx.
var errorTypes = map[int]string{
	http.StatusBadRequest:      "invalid_request_error",
	http.StatusUnauthorized:    "authentication_error",
	http.StatusForbidden:       "permission_error",
	http.StatusNotFound:        "not_found_error",
	http.StatusTooManyRequests: "rate_limit_error",
	529:                        "overloaded_error",
}

func writeError(w http.ResponseWriter, status int) {
	kind, ok := errorTypes[status]
	if !ok {
		kind = "api_error"
	}
	writeJSON(w, status, event{"type": "error", "error": event{"type": kind, "message": "scripted error"}})
}
