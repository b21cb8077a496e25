// Package session is the life of coding agents in terminals: it starts them, derives what they do from evidence,
// types messages into them, and answers their questions.
package session

import (
	"context"
	"io"
	"log/slog"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// Manager runs all sessions of a host. Its zero fields, but Dir and Self, have defaults.
type Manager struct {
	Dir     string           // holds one directory per session; 0700
	Self    string           // path of the hostagent program, which is also holder and hook
	Policy  policy.Policy    // what the host's owner allows
	Kinds   []agentkind.Kind // agents that can be started
	Log     *slog.Logger
	Now     func() time.Time
	Getenv  func(string) string
	Environ []string // of which agents get what they need
}

// Open finds the sessions on disk and follows those that live. Call it once, before anything else.
func (m *Manager) Open(ctx context.Context) error { return nil }

// Close stops following. The sessions live on.
func (m *Manager) Close() error { return nil }

func (m *Manager) Create(ctx context.Context, r protocol.CreateSessionRequest) (protocol.SessionReply, error) {
	return protocol.SessionReply{}, nil
}
func (m *Manager) Resume(ctx context.Context, r protocol.ResumeSessionRequest) (protocol.SessionReply, error) {
	return protocol.SessionReply{}, nil
}
func (m *Manager) Terminate(ctx context.Context, r protocol.TerminateSessionRequest) (protocol.SessionReply, error) {
	return protocol.SessionReply{}, nil
}
func (m *Manager) Interrupt(ctx context.Context, r protocol.InterruptSessionRequest) (protocol.SessionReply, error) {
	return protocol.SessionReply{}, nil
}
func (m *Manager) Send(ctx context.Context, r protocol.SendMessageRequest) (protocol.SendMessageReply, error) {
	return protocol.SendMessageReply{}, nil
}
func (m *Manager) Answer(ctx context.Context, r protocol.AnswerPromptRequest) (protocol.AnswerPromptReply, error) {
	return protocol.AnswerPromptReply{}, nil
}
func (m *Manager) Screen(ctx context.Context, r protocol.ReadScreenRequest) (protocol.ReadScreenReply, error) {
	return protocol.ReadScreenReply{}, nil
}
func (m *Manager) Terminal(ctx context.Context, r protocol.ReadTerminalRequest) (protocol.ReadTerminalReply, error) {
	return protocol.ReadTerminalReply{}, nil
}
func (m *Manager) ReadChanges(ctx context.Context, r protocol.ReadChangesRequest) (protocol.ReadChangesReply, error) {
	return protocol.ReadChangesReply{}, nil
}

// Sessions lists every session on this host, ended ones too.
func (m *Manager) Sessions() []protocol.Session { return nil }

// Events reads up to max events with seq > after.
func (m *Manager) Events(id protocol.SessionID, after uint64, max int) ([]protocol.Event, error) {
	return nil, nil
}

// Changed has a value when some session has new events. It never closes.
func (m *Manager) Changed() <-chan struct{} { return nil }

// Describe is what this host offers.
func (m *Manager) Describe() (kinds []protocol.Kind, roots, modes []string) { return nil, nil, nil }

// Hook is `hostagent hook <session directory> <event>`: what the agent's hooks run.
func Hook(ctx context.Context, dir, event string, payload io.Reader, reply io.Writer) error {
	return nil
}
