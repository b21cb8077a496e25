package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// costOf is what requests cost: their times, and the processor time of each at the control plane and its database.
type costOf struct {
	load
	processor time.Duration
}

// measureTokenCheck finds the cost of a token's check as the difference between two refusals: of a body that is not
// JSON, which comes soon after the check, and of a stranger's web page, which comes soon before it. What else lies
// between them, as the rate limits, is counted to it.
func measureTokenCheck(ctx context.Context, p *product) ([]row, error) {
	e := newEndpoint(p.plane.MCP(), p.token)
	defer e.close()
	status, err := e.call("get_session_status", map[string]any{"session_id": p.session})
	if err != nil {
		return nil, err
	}
	call, err := p.cost(ctx, status.call)
	if err != nil {
		return nil, err
	}
	checked, err := p.cost(ctx, e.refused("text/plain", e.token, http.StatusUnsupportedMediaType))
	if err != nil {
		return nil, err
	}
	stranger := e
	stranger.origin = "https://stranger.example"
	unchecked, err := p.cost(ctx, stranger.refused("text/plain", e.token, http.StatusForbidden))
	if err != nil {
		return nil, err
	}
	check := checked.processor - unchecked.processor
	return []row{
		{path: "token check", limit: "get_session_status, processor time",
			bound: microseconds(call.processor), ours: microseconds(check),
			ratio: fmt.Sprintf("%.1f %%", 100*over(check, call.processor)), aim: "≤ 3 %"},
		{path: "requests that are only checked, 64", limit: "get_session_status, 64",
			bound: perSecond(call.rate()), ours: perSecond(checked.rate()),
			ratio: fmt.Sprintf("%.1f×", checked.rate()/call.rate())},
	}, nil
}

// refused makes a request that gets no further than the status says.
func (e endpoint) refused(media, token string, want int) caller {
	return func(ctx context.Context, _ int) error {
		got, err := e.post(ctx, media, token, []byte("{}"))
		if err == nil && got.status != want {
			err = fmt.Errorf("got %d, want %d: %.300s", got.status, want, got.body)
		}
		return err
	}
}

func (p *product) cost(ctx context.Context, call caller) (costOf, error) {
	if _, err := drive(ctx, crowdSize, warmUp, call); err != nil {
		return costOf{}, err
	}
	pids, err := p.planeProcesses()
	if err != nil {
		return costOf{}, err
	}
	before, err := processorTime(pids...)
	if err != nil {
		return costOf{}, err
	}
	done, err := drive(ctx, crowdSize, rounds*turn, call)
	if err != nil {
		return costOf{}, err
	}
	after, err := processorTime(pids...)
	return costOf{done, (after - before) / time.Duration(len(done.took))}, err
}

// planeProcesses are the control plane and its database's.
func (p *product) planeProcesses() ([]int, error) {
	text, err := os.ReadFile(filepath.Join(p.plane.Data(), "postgres", "data", "postmaster.pid"))
	if err != nil {
		return nil, fmt.Errorf("looking for the database's process: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil {
		return nil, fmt.Errorf("looking for the database's process: %w", err)
	}
	backends, err := childrenOf(postmaster)
	return append(backends, p.plane.Process().PID), err
}

func microseconds(d time.Duration) string { return fmt.Sprintf("%d µs a call", d.Microseconds()) }
