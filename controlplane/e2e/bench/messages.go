package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/creack/pty"
	"github.com/nats-io/nats.go"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/harness"
	"switchboard/hostagent/protocol"
)

const (
	messageRounds   = 100 // of 800 messages the 99th percentile is still the eighth slowest
	messageSessions = 8   // each gets one message a round, before any of them deals with it
	// messageSettles is how long after its agent's last word a session is idle for its host, too, and nothing moves.
	messageSettles = 250 * time.Millisecond
)

// typed is what is written into a bare terminal: the bytes that the host agent types.
const typed = pasteBegin + limitPayload + pasteEnd

// messagePaths are ways for a message to a terminal's child, limits and ours, each with how long it took until the
// child had read it.
type messagePaths struct {
	echo, commanded load // from the control plane
	limit, called   load // from the client
}

// measureMessages measures how long a message takes until the child's read(2) returns it, in sessions that are idle.
func measureMessages(ctx context.Context, p *product) (rows []row, err error) {
	m, err := startMessages(ctx, p)
	if err != nil {
		return nil, errors.Join(err, m.end())
	}
	defer func() { err = errors.Join(err, m.end()) }()
	var paths messagePaths
	for range messageRounds {
		if err := m.round(ctx, &paths); err != nil {
			return nil, err
		}
	}
	return []row{
		latencyRow("command → bytes at the child", "PTY echo + NATS round trip", paths.echo, paths.commanded, "≤ 1.5×"),
		latencyRow("send_message, audited → bytes at the child", "bare tool, INSERT, NATS, PTY", paths.limit, paths.called, "≤ 1.5×"),
	}, nil
}

// messages is all that it takes.
type messages struct {
	*product
	stamps *stamps
	plane  *barePlane
	agent  *child // of the limits, on a NATS of its own
	conn   *nats.Conn
	server *limitProcess
	typist *child // of the limit's server
	echo   *os.File

	commanded []protocol.SessionID // of plane
	called    []string             // of the product
	theirs    endpoint
	ours      endpoint
	ends      []func() error
}

func (m *messages) end() error {
	var err error
	for i := len(m.ends) - 1; i >= 0; i-- {
		err = errors.Join(err, m.ends[i]())
	}
	return err
}

func startMessages(ctx context.Context, p *product) (*messages, error) {
	m := &messages{product: p}
	for _, start := range []func(context.Context) error{m.startStamps, m.startLimits, m.startEcho, m.startCommanded, m.startCalled} {
		if err := start(ctx); err != nil {
			return m, err
		}
	}
	return m, nil
}

func (m *messages) startStamps(context.Context) (err error) {
	if m.stamps, err = hearStamps(m.dir); err == nil {
		m.ends = append(m.ends, m.stamps.end)
	}
	return err
}

// startLimits starts one NATS in this process, beside which an agent answers, and one in the limit's server, beside
// which an agent types.
func (m *messages) startLimits(ctx context.Context) error {
	bus, conn, err := startBareNATS()
	if err != nil {
		return err
	}
	m.conn = conn
	m.ends = append(m.ends, func() error { conn.Close(); bus.Shutdown(); return nil })
	if m.agent, err = startChild(ctx, nil, wordAgent, bus.ClientURL()); err != nil {
		return err
	}
	m.ends = append(m.ends, m.agent.end)
	if m.server, err = startLimit(ctx, m.database.URL()); err != nil {
		return err
	}
	m.ends = append(m.ends, m.server.end)
	if m.typist, err = startChild(ctx, nil, wordTypist, m.server.bus, m.stamps.socket); err != nil {
		return err
	}
	m.ends = append(m.ends, m.typist.end)
	m.theirs, m.ours = newEndpoint(m.server.url, limitToken), newEndpoint(m.product.plane.MCP(), m.token)
	m.ends = append(m.ends, func() error { m.theirs.close(); m.ours.close(); return nil })
	return nil
}

func (m *messages) startEcho(ctx context.Context) (err error) {
	var end func() error
	m.echo, end, err = startStamper(ctx, m.stamps.socket)
	if err == nil {
		m.ends = append(m.ends, end)
	}
	return err
}

// startStamper starts a child on a bare terminal, and returns the terminal's other side when the child reads.
func startStamper(ctx context.Context, socket string) (master *os.File, end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	command := exec.CommandContext(ctx, self, wordStamper, socket)
	if master, err = pty.Start(command); err != nil {
		return nil, nil, fmt.Errorf("starting a terminal: %w", err)
	}
	end = func() error {
		master.Close()
		_ = command.Wait() // it ends with its terminal, one way or the other
		return nil
	}
	if _, err := master.Read(make([]byte, 1)); err != nil { // its word that it is ready
		return nil, nil, errors.Join(err, end())
	}
	return master, end, nil
}

// stampingAgent is a program in the agent's place that says when a message has come.
func (m *messages) stampingAgent(hostagent string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(m.dir, "stamping-agent")
	return path, os.WriteFile(path, []byte(`#!/bin/sh
if [ "$1" = --version ]; then echo `+claudecli.Version+`; exit; fi
exec `+self+` `+wordStamper+` `+m.stamps.socket+` `+hostagent+` "$@"
`), 0o755)
}

func (m *messages) startCommanded(ctx context.Context) error {
	agent, err := m.stampingAgent(m.programs.HostAgent)
	if err != nil {
		return err
	}
	dir := filepath.Join(m.dir, "bare")
	h := &harness.Host{Programs: m.programs, Name: "bare", Model: m.model.URL, Home: claudecli.Home{Dir: dir, CLI: agent}}
	m.plane, err = startBarePlane(ctx, filepath.Join(m.dir, "bare-plane"), h)
	m.ends = append(m.ends, func() error { return errors.Join(m.plane.end(), harness.EndAll(dir)) })
	for range messageSessions {
		if err != nil {
			return err
		}
		var id protocol.SessionID
		id, err = m.plane.startSession(ctx)
		m.commanded = append(m.commanded, id)
	}
	return err
}

func (m *messages) startCalled(ctx context.Context) error {
	agent, err := m.stampingAgent(m.programs.HostAgent)
	if err != nil {
		return err
	}
	h, err := m.addMachine(ctx, "stamping", agent)
	if err != nil {
		return err
	}
	m.ends = append(m.ends, func() error { return errors.Join(h.Stop(), harness.EndAll(h.Home.Dir)) })
	for range messageSessions {
		id, err := m.startSession(ctx, h)
		if err != nil {
			return err
		}
		m.called = append(m.called, id)
	}
	return m.awaitIdle(ctx, m.called...)
}

// round sends one message to each session, limits and ours in turns, and waits until all are idle again.
func (m *messages) round(ctx context.Context, paths *messagePaths) error {
	write, err := m.theirs.call(toolWriteAndType)
	if err != nil {
		return err
	}
	for i := range messageSessions {
		send, err := m.ours.call("send_message", map[string]any{"session_id": m.called[i], "message": limitPayload, "wait_seconds": 0})
		if err != nil {
			return err
		}
		commanded := func(ctx context.Context) error { return m.plane.send(ctx, m.commanded[i]) }
		for _, way := range []struct {
			to   *load
			send func(context.Context) error
		}{
			{&paths.commanded, commanded},
			{&paths.limit, func(ctx context.Context) error { return write.call(ctx, 0) }},
			{&paths.called, func(ctx context.Context) error { return send.call(ctx, 0) }},
		} {
			took, err := m.stamps.until(ctx, way.send)
			if err != nil {
				return err
			}
			way.to.took = append(way.to.took, took)
		}
		if err := m.echoAndAsk(ctx, &paths.echo); err != nil {
			return err
		}
	}
	for range 2 * messageSessions {
		if _, err := m.stamps.next(ctx, wordDone); err != nil {
			return err
		}
	}
	return sleep(ctx, messageSettles)
}

// echoAndAsk is a message's echo at a bare terminal, and then a round trip over NATS.
func (m *messages) echoAndAsk(ctx context.Context, to *load) error {
	began := time.Now()
	if _, err := m.echo.WriteString(typed); err != nil {
		return fmt.Errorf("typing into a bare terminal: %w", err)
	}
	buffer := make([]byte, len(typed))
	for read := 0; read < len(typed); {
		n, err := m.echo.Read(buffer)
		if err != nil {
			return fmt.Errorf("reading a bare terminal: %w", err)
		}
		read += n
	}
	if err := ask(ctx, m.conn); err != nil {
		return err
	}
	to.took = append(to.took, time.Since(began))
	_, err := m.stamps.next(ctx, wordRead)
	return err
}
