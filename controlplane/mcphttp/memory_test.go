package mcphttp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"switchboard/auth"
	"switchboard/controlplane/mcpsession"
)

// memory keeps sessions for tests in a bubble, which no database can be in. What such a test does not need panics.
type memory struct {
	mcpsession.Store

	mu       sync.Mutex // guards the fields below
	sessions map[string]mcpsession.Session
	touches  int
}

func newMemory() *memory { return &memory{sessions: map[string]mcpsession.Session{}} }

func (m *memory) InsertMCPSession(_ context.Context, s mcpsession.Session, _ int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[s.ID] = s
	return nil
}

func (m *memory) MCPSession(_ context.Context, id string) (mcpsession.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !utf8.ValidString(id) {
		return s, errText
	}
	if !ok {
		return s, auth.ErrNotFound
	}
	return s, nil
}

func (m *memory) TouchMCPSession(_ context.Context, id string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[id]
	s.UsedAt = at
	m.sessions[id] = s
	m.touches++
	return nil
}

func (m *memory) DeleteMCPSession(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, id)
	return nil
}

func (*memory) InsertMCPStream(context.Context, mcpsession.Stream, time.Time) error { return nil }

func (*memory) RenewMCPStream(context.Context, string, string, time.Time) error { return nil }

func (*memory) AppendMCPEvent(context.Context, string, string, json.RawMessage, bool, time.Time) (int, error) {
	return 1, nil
}

// errText is Postgres's for what is no text.
var errText = errors.New("invalid byte sequence for encoding UTF8")

func (*memory) MCPEvents(_ context.Context, _, stream string, _ int) (mcpsession.Stream, []mcpsession.Event, error) {
	if !utf8.ValidString(stream) || strings.Contains(stream, "\x00") {
		return mcpsession.Stream{}, nil, errText
	}
	return mcpsession.Stream{}, nil, auth.ErrNotFound
}

func (m *memory) InsertMCPAnswer(ctx context.Context, session, stream string, _ json.RawMessage) error {
	_, _, err := m.MCPEvents(ctx, session, stream, 0)
	return err
}
