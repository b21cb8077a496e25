package main

import (
	"context"
	"errors"
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
	// idleWatch is how long idle processes are watched for the time they take, and for how often they wake up.
	idleWatch = 15 * time.Second
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
	if err := sleep(ctx, idleSettles); err != nil {
		return nil, err
	}
	ofHolders, ofAgent, err := idling(ctx, holders, agent)
	if err != nil {
		return nil, err
	}
	ofAll := effort{ofHolders.processor + ofAgent.processor, ofHolders.wakeUps + ofAgent.wakeUps}
	count := len(holders)
	return []row{
		figureRow(fmt.Sprintf("idle session, memory of its holder (%d)", len(holders)), kibibytes(median), ""),
		figureRow("  and its share of the host agent", kibibytes(all), "≤ 3072 KiB"),
		figureRow("idle session, time of its holder", ofHolders.perSecond(count), "≤ 0.02 ms per s"),
		figureRow("  and its share of the host agent", ofAll.perSecond(count), "≤ 0.02 ms per s"),
		figureRow("idle session, wake-ups of its holder", ofHolders.perMinute(count), "none"),
		figureRow("  and its share of the host agent's", ofAll.perMinute(count), "its heartbeat's"),
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
		if strings.Contains(process.Command, " holder ") {
			holders = append(holders, process.PID)
		}
	}
	if len(holders) != idleSessions {
		return nil, fmt.Errorf("found %d holders, want %d", len(holders), idleSessions)
	}
	return holders, nil
}

// effort is what processes do in idleWatch.
type effort struct {
	processor time.Duration
	wakeUps   int64
}

// idling is what the holders and the host agent do while nothing happens.
func idling(ctx context.Context, holders []int, agent int) (ofHolders, ofAgent effort, err error) {
	before, err := effortsOf(holders, []int{agent})
	if err != nil {
		return effort{}, effort{}, err
	}
	if err := sleep(ctx, idleWatch); err != nil {
		return effort{}, effort{}, err
	}
	after, err := effortsOf(holders, []int{agent})
	if err != nil {
		return effort{}, effort{}, err
	}
	return after[0].since(before[0]), after[1].since(before[1]), nil
}

// effortsOf is what some groups of processes have done so far.
func effortsOf(groups ...[]int) ([]effort, error) {
	efforts := make([]effort, len(groups))
	for i, pids := range groups {
		var err, wakeErr error
		efforts[i].processor, err = processorTime(pids...)
		efforts[i].wakeUps, wakeErr = wakeUps(pids...)
		if err := errors.Join(err, wakeErr); err != nil {
			return nil, err
		}
	}
	return efforts, nil
}

func (e effort) since(before effort) effort {
	return effort{e.processor - before.processor, e.wakeUps - before.wakeUps}
}

func (e effort) perSecond(sessions int) string {
	return fmt.Sprintf("%.3f ms per s", e.processor.Seconds()*1000/idleWatch.Seconds()/float64(sessions))
}

func (e effort) perMinute(sessions int) string {
	return fmt.Sprintf("%.1f per min", float64(e.wakeUps)/idleWatch.Minutes()/float64(sessions))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
