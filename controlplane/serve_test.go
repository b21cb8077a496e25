package main

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/auth"
)

// pipes is a listener whose connections are in memory, so that their time is the test's.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowBody sends a body that never ends: it must not hold its connection for ever.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		p := &plane{log: log, oauth: &auth.OAuth{Log: log}}
		server := p.server(t.Context())
		listener := make(pipes, 1)
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		client, conn := net.Pipe()
		listener <- conn
		began := time.Now()
		_, err := io.WriteString(client, "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); answer.StatusCode != http.StatusBadRequest || took > readTimeout {
			t.Errorf("answered %s after %s, want 400 within %s", answer.Status, took, readTimeout)
		}
		_ = answer.Body.Close()
		_ = client.Close()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}
