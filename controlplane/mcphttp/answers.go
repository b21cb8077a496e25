package mcphttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/mcpsession"
)

// Before 2026-07-28 a server asks its client by a request of its own, and the answer comes as a POST to any replica.
// Mcp-go numbers its requests from 1 in every process, so that one replica's question 7 is another's too. Here a
// question's id names the stream that it went out on, and so its replica: an answer that came to the wrong one waits
// in the database to be taken.

// takeEvery is how often a replica that has asked looks for answers that came to another one.
const takeEvery = time.Second

// maxAnswer is how long an answer may be, which may have to wait in the database.
const maxAnswer = 64 << 10

// converse serves a request that may become a stream, with all that is asked on it.
func (h *Handler) converse(answer *response, r *http.Request, caller auth.Caller, j *journal) {
	if j == nil {
		h.next.ServeHTTP(answer, r)
		return
	}
	ctx, stop := context.WithCancel(r.Context())
	var taking sync.WaitGroup
	j.asked = sync.OnceFunc(func() {
		h.asking.Store(j.stream.ID, true)
		taking.Go(func() { h.takeAnswers(ctx, r, caller, j.stream) })
	})
	defer func() {
		if j.stream.Request != nil {
			answer.conclude()
		}
		h.asking.Delete(j.stream.ID)
		stop()
		taking.Wait()
	}()
	h.next.ServeHTTP(answer, r)
}

// question gives a request of the server's an id that only this stream has.
func (j *journal) question(data []byte) []byte {
	var request map[string]json.RawMessage
	if json.Unmarshal(data, &request) != nil {
		return data
	}
	number, err := strconv.Atoi(string(request["id"]))
	if err != nil {
		return data
	}
	j.asked()
	request["id"] = json.RawMessage(strconv.Quote(eventID(j.stream.ID, number)))
	named, _ := json.Marshal(request) // raw messages that were valid JSON always marshal
	return named
}

// answered brings a client's answer to whoever asked.
func (h *Handler) answered(answer *response, r *http.Request, caller auth.Caller, m message, body []byte) {
	stream, number, ok := m.question()
	if !ok || answer.visit.session == "" {
		h.next.ServeHTTP(answer, r)
		return
	}
	if len(body) > maxAnswer {
		refuse(answer, malformed(mcp.INVALID_REQUEST, m.id, "an answer may have 64 KiB"))
		return
	}
	body = withID(body, number)
	if _, here := h.asking.Load(stream); here {
		h.deliver(answer, r, caller, answer.visit.session, body)
		return
	}
	err := h.Sessions.InsertMCPAnswer(r.Context(), answer.visit.session, stream, body)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		refuse(answer, malformed(mcp.INVALID_REQUEST, m.id, "nobody waits for this answer any more"))
	case err != nil:
		h.refuseSession(answer, r, err)
	default:
		answer.WriteHeader(http.StatusAccepted)
	}
}

// question is what a response of the client's answers.
func (m message) question() (stream string, number int, ok bool) {
	var id string
	if json.Unmarshal(m.id, &id) != nil {
		return "", 0, false
	}
	return parseEventID(id)
}

func withID(body []byte, number int) []byte {
	var response map[string]json.RawMessage
	if json.Unmarshal(body, &response) != nil {
		return body
	}
	response["id"] = json.RawMessage(strconv.Itoa(number))
	numbered, _ := json.Marshal(response) // raw messages that were valid JSON always marshal
	return numbered
}

// takeAnswers looks for answers that came to other replicas, while the request lasts.
func (h *Handler) takeAnswers(ctx context.Context, r *http.Request, caller auth.Caller, s mcpsession.Stream) {
	ticks := time.NewTicker(takeEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		answers, err := h.Sessions.TakeMCPAnswers(ctx, s.Session, s.ID)
		if err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "answers not taken", "err", err)
		}
		for _, answer := range answers {
			h.deliver(newHeld(), r, caller, s.Session, answer)
		}
	}
}

// deliver gives mcp-go a message as if it had come in the session.
func (h *Handler) deliver(w http.ResponseWriter, r *http.Request, caller auth.Caller, session string, body []byte) {
	in := r.Clone(withVisit(r.Context(), &visit{caller: caller, session: session}))
	in.Method = http.MethodPost
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, " + eventStream},
		mcp.HeaderSessionID: {session},
	}
	h.next.ServeHTTP(w, in)
}
