package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// lookOften is how exactly starts are measured.
const lookOften = time.Millisecond

// measureStarts restarts the control plane on the data that it has by now, and a host agent that has sessions.
func measureStarts(ctx context.Context, p *product) ([]row, error) {
	plane, err := p.restartPlane(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.awaitHosts(ctx); err != nil {
		return nil, err
	}
	var agents load
	for range rounds {
		took, err := restartAgent(ctx, p.quiet[0])
		if err != nil {
			return nil, err
		}
		agents.took = append(agents.took, took)
	}
	return []row{
		figureRow("control plane, start on existing data", milliseconds(plane)+" ms", "≤ 1000 ms"),
		figureRow(fmt.Sprintf("host agent, start → connected (%d sessions)", idleSessions),
			milliseconds(agents.quantile(0.5))+" ms", "≤ 200 ms"),
	}, nil
}

// restartPlane says how long it took until a page that needs the database was there.
func (p *product) restartPlane(ctx context.Context, env ...string) (time.Duration, error) {
	if err := p.plane.Stop(); err != nil {
		return 0, err
	}
	p.plane.Env = append(p.plane.Env, env...)
	began := time.Now()
	started := make(chan error, 1)
	go func() { started <- p.plane.Start(ctx) }()
	var took time.Duration
	seen := poll(ctx, func() bool {
		ready := answers(ctx, p.plane.URL()+"/login")
		took = time.Since(began)
		return ready
	})
	return took, errors.Join(<-started, seen)
}

func answers(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func restartAgent(ctx context.Context, h *harness.Host) (time.Duration, error) {
	if err := h.Stop(); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := h.Start(); err != nil {
		return 0, err
	}
	var took time.Duration
	err := poll(ctx, func() bool {
		connected := strings.Contains(h.Process().Output(), "connected to the control plane")
		took = time.Since(began)
		return connected
	})
	return took, err
}

// poll asks often, for what harness.Await would notice too late.
func poll(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, harness.Patience)
	defer cancel()
	for !done() {
		if err := sleep(ctx, lookOften); err != nil {
			return err
		}
	}
	return nil
}
