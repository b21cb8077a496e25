package main

import (
	"context"
	"log/slog"

	"switchboard/hostagent/protocol"
)

// nothing is a host without sessions.
type nothing struct{}

func (nothing) Sessions() []protocol.Session { return nil }

func (nothing) Events(protocol.SessionID, uint64, int) ([]protocol.Event, error) { return nil, nil }

func (nothing) Changed() <-chan struct{} { return nil }

func (nothing) Acknowledged(protocol.SessionID, uint64) {}

func (nothing) Describe() (kinds []protocol.Kind, roots, modes []string) {
	return []protocol.Kind{{Name: "claude", Version: "0"}}, []string{"/home"}, []string{"manual"}
}

// heard is a log handler that hears the link's word that it is connected, which is the only one at that level.
type heard struct {
	slog.Handler
	connected chan<- struct{}
}

func (heard) Enabled(context.Context, slog.Level) bool { return true }

func (h heard) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelInfo {
		h.connected <- struct{}{}
	}
	return nil
}
