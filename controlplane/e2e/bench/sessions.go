package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/e2e/harness"
)

const (
	// idleSettles is how long a session that has just become idle may still be looked at closely.
	idleSettles = 6 * time.Second
	// idleWatch is how long idle processes are watched for the time they take.
	idleWatch = 8 * time.Second
)

// measureSessions measures what an idle session costs on its host: its holder, and its part of the host agent.
func measureSessions(ctx context.Context, p *product) ([]row, error) {
	holders, err := p.holders()
	if err != nil {
		return nil, err
	}
	var sizes []int64
	for _, pid := range holders {
		size, err := proportional(pid)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	median := sizes[len(sizes)/2]
	agent := p.quiet[0].Process().PID
	agentSize, err := proportional(agent)
	if err != nil {
		return nil, err
	}
	all := median + agentSize/int64(len(holders))
	holderTime, agentTime, err := idleTimes(ctx, holders, agent)
	if err != nil {
		return nil, err
	}
	count := time.Duration(len(holders))
	return []row{
		figureRow(fmt.Sprintf("idle session, memory of its holder (%d)", len(holders)), kibibytes(median), ""),
		figureRow("  and its share of the host agent", kibibytes(all), "≤ 3072 KiB"),
		figureRow("idle session, time of its holder", perIdleSecond(holderTime/count), "≤ 0.02 ms per s"),
		figureRow("  and its share of the host agent", perIdleSecond((holderTime+agentTime)/count), "≤ 0.02 ms per s"),
	}, nil
}

// holders are the holder processes on the first quiet machine.
func (p *product) holders() ([]int, error) {
	processes, err := harness.Leftovers(filepath.Join(p.quiet[0].Home.Dir, ".switchboard"))
	if err != nil {
		return nil, err
	}
	var holders []int
	for _, process := range processes {
		if strings.HasPrefix(process.Command, p.programs.HostAgent+" holder ") {
			holders = append(holders, process.PID)
		}
	}
	if len(holders) != idleSessions {
		return nil, fmt.Errorf("found %d holders, want %d", len(holders), idleSessions)
	}
	return holders, nil
}

// idleTimes is the processor time that the holders and the host agent take while nothing happens, during idleWatch.
func idleTimes(ctx context.Context, holders []int, agent int) (ofHolders, ofAgent time.Duration, err error) {
	if err := sleep(ctx, idleSettles); err != nil {
		return 0, 0, err
	}
	holdersBefore, err := processorTime(holders...)
	if err != nil {
		return 0, 0, err
	}
	agentBefore, err := processorTime(agent)
	if err != nil {
		return 0, 0, err
	}
	if err := sleep(ctx, idleWatch); err != nil {
		return 0, 0, err
	}
	holdersAfter, err := processorTime(holders...)
	if err != nil {
		return 0, 0, err
	}
	agentAfter, err := processorTime(agent)
	return holdersAfter - holdersBefore, agentAfter - agentBefore, err
}

func perIdleSecond(during time.Duration) string {
	return fmt.Sprintf("%.3f ms per s", during.Seconds()*1000/idleWatch.Seconds())
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
