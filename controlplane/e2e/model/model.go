// Package model is a scripted Messages API: it stands in for Anthropic's behind the real Claude Code CLI, so that
// tests and the demonstration need no account and no network. The script is inside the prompt, so the server keeps no
// state and any number of sessions may share it. Each turn of the model goes as far as the next call of a tool:
//
//	fake:text I begin ;; bash touch x ;; text done
//
// A prompt without a script is answered as a helpful agent would answer it, well enough to try a conversation by
// hand. What the CLI really asks for was measured with CLI 2.1.329.
package model

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server answers POST /v1/messages. Its zero value works.
type Server struct {
	TestCommand string // what "run the tests" runs; empty: ./run-tests.sh

	mu    sync.Mutex // guards the field below
	calls []Call
}

// Call is one request for a turn of the model, as it came.
type Call struct {
	At      time.Time
	Session string // the CLI's session id
	Prompt  string // what the person said last, without the CLI's own reminders
	Step    int    // turns of the model since then
	Side    bool   // a call without tools, for the CLI's own purposes: a title, a summary
	Path    string
}

// maxCalls is how many calls are remembered, so that a long demonstration does not grow.
const maxCalls = 10_000

// maxRequest is far above a prompt with the CLI's whole list of tools, which is about 150 kB.
const maxRequest = 32 << 20

// Calls returns every request so far, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Prompts returns what people said, each prompt once for each turn that it began, oldest first.
func (s *Server) Prompts() []string {
	var prompts []string
	for _, call := range s.Calls() {
		if call.Step == 0 && !call.Side {
			prompts = append(prompts, call.Prompt)
		}
	}
	return prompts
}

func (s *Server) remember(call Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	if len(s.calls) > maxCalls {
		s.calls = s.calls[len(s.calls)-maxCalls:]
	}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/messages") {
		s.remember(Call{At: time.Now(), Path: r.URL.Path, Side: true})
		writeError(w, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		writeError(w, http.StatusRequestEntityTooLarge)
		return
	}
	var req request
	if err := json.Unmarshal(body, &req); err != nil {
		writeError(w, http.StatusBadRequest)
		return
	}
	prompt, step := req.prompt()
	s.remember(Call{
		At: time.Now(), Session: r.Header.Get("X-Claude-Code-Session-Id"), Path: r.URL.Path,
		Prompt: prompt, Step: step, Side: len(req.Tools) == 0,
	})
	if strings.HasSuffix(r.URL.Path, "/count_tokens") {
		writeJSON(w, http.StatusOK, map[string]int{"input_tokens": tokens(prompt)})
		return
	}
	turn := s.turn(req, prompt, step)
	if turn.wait > 0 {
		select {
		case <-time.After(turn.wait):
		case <-r.Context().Done():
			return
		}
	}
	if turn.status != 0 {
		writeError(w, turn.status)
		return
	}
	reply := message{
		ID: "msg_" + rand.Text(), Type: "message", Role: "assistant", Model: req.Model,
		Content: turn.blocks, StopReason: turn.stopReason(), Usage: usage{Input: max(tokens(prompt), turn.tokens), Output: turn.written()},
	}
	if !req.Stream {
		writeJSON(w, http.StatusOK, reply)
		return
	}
	stream(r.Context(), w, reply, turn.pace)
}

// tokens is a plausible count, which the CLI only shows.
func tokens(text string) int { return 1 + len(text)/4 }

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The reader may have gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

// Endpoint is a Server that listens.
type Endpoint struct {
	URL string // for ANTHROPIC_BASE_URL

	server *http.Server
	done   chan error
}

// Start serves s at address until the endpoint is closed. Port 0 is any free port. The address belongs on the
// loopback interface: whoever reaches it may read what was said.
func (s *Server) Start(ctx context.Context, address string) (*Endpoint, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for the scripted model: %w", err)
	}
	e := &Endpoint{
		URL:    "http://" + listener.Addr().String(),
		server: &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second},
		done:   make(chan error, 1),
	}
	go func() { e.done <- e.server.Serve(listener) }()
	return e, nil
}

// Close ends every stream and waits until the server has stopped.
func (e *Endpoint) Close() error {
	err := e.server.Close()
	if served := <-e.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
