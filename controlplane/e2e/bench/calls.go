package main

import (
	"context"
	"errors"
	"fmt"
)

// What a call is compared with.
const (
	boundTool  = "bare mcp-go tool, token in a map"
	boundRead  = "the same + a row by its key"
	boundPage  = "the same + as many rows"
	boundAsk   = "bare mcp-go tool + NATS round trip"
	boundWrite = "the same + committed INSERT before"
	boundNATS  = "NATS round trip to another process"
)

// callPaths are the limits of a call, and ours.
type callPaths struct {
	nats, nothing, read, readAll, ask, writeAndAsk *path

	profile, list, status, screen, send *path
}

func (c callPaths) all() []*path {
	return []*path{c.nats, c.nothing, c.read, c.readAll, c.ask, c.writeAndAsk, c.profile, c.list, c.status, c.screen, c.send}
}

// measureCalls measures authenticated tool calls, end to end. Messages go to the quiet sessions: an agent that works
// on them would take the processor from what is measured, and the call does not wait for it.
func measureCalls(ctx context.Context, p *product) (rows []row, err error) {
	limit, err := startLimit(ctx, p.database.URL())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, limit.end()) }()
	bus, conn, err := startBareNATS()
	if err != nil {
		return nil, err
	}
	defer bus.Shutdown()
	defer conn.Close()
	agent, err := startChild(ctx, nil, wordAgent, bus.ClientURL())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, agent.end()) }()

	theirs, ours := newEndpoint(limit.url, limitToken), newEndpoint(p.plane.MCP(), p.token)
	defer theirs.close()
	defer ours.close()
	paths, err := p.callPaths(theirs, ours)
	if err != nil {
		return nil, err
	}
	paths.nats = &path{call: func(ctx context.Context, _ int) error { return ask(ctx, conn) }}
	if err := takeTurns(ctx, paths.all()...); err != nil {
		return nil, err
	}
	return paths.rows(), nil
}

func (p *product) callPaths(theirs, ours endpoint) (c callPaths, err error) {
	session := map[string]any{"session_id": p.session}
	screens := []map[string]any{{"session_id": p.session, "view": "screen"}}
	var messages []map[string]any
	for _, id := range p.idle {
		screens = append(screens, map[string]any{"session_id": id, "view": "screen"})
		messages = append(messages, map[string]any{"session_id": id, "message": limitPayload, "wait_seconds": 0})
	}
	for _, made := range []struct {
		path      **path
		at        endpoint
		tool      string
		arguments []map[string]any
	}{
		{&c.nothing, theirs, toolNothing, nil},
		{&c.read, theirs, toolRead, nil},
		{&c.readAll, theirs, toolReadAll, nil},
		{&c.ask, theirs, toolAsk, nil},
		{&c.writeAndAsk, theirs, toolWriteAndAsk, nil},
		{&c.profile, ours, "get_profile", nil},
		{&c.list, ours, "list_sessions", nil},
		{&c.status, ours, "get_session_status", []map[string]any{session}},
		{&c.screen, ours, "get_logs", screens},
		{&c.send, ours, "send_message", messages},
	} {
		if *made.path, err = made.at.call(made.tool, made.arguments...); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c callPaths) rows() []row {
	const noHost, sendAlone, sendCrowd = "≤ 2×", "≤ 1.5× / ≤ 2×", "≥ 0.7×"
	var rows []row
	for _, compared := range []struct {
		name, limit       string
		bound, ours       *path
		aim, aimOfTheRate string
	}{
		{"get_profile", boundTool, c.nothing, c.profile, noHost, ""},
		{fmt.Sprintf("list_sessions, %d of them", allSessions), boundTool, c.nothing, c.list, noHost, ""},
		{fmt.Sprintf("list_sessions, %d of them", allSessions), boundPage, c.readAll, c.list, "", ""},
		{"get_session_status", boundTool, c.nothing, c.status, noHost, ""},
		{"get_session_status", boundRead, c.read, c.status, "", ""},
		{"get_session_status", boundNATS, c.nats, c.status, "", ""},
		{"get_logs view=screen, through the host", boundAsk, c.ask, c.screen, "", ""},
		{"send_message, audited, durable", boundWrite, c.writeAndAsk, c.send, sendAlone, sendCrowd},
	} {
		rows = append(rows,
			latencyRow(compared.name+", 1", compared.limit, compared.bound.alone, compared.ours.alone, compared.aim),
			rateRow("  64 callers", "", compared.bound.crowd, compared.ours.crowd, compared.aimOfTheRate))
	}
	return rows
}
