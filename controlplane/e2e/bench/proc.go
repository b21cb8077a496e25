package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// proportional is a process's proportional set size in bytes: what it shares with others counts in part.
func proportional(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 3 && words[0] == "Pss:" {
			kib, err := strconv.ParseInt(words[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("reading the memory of process %d: no Pss", pid)
}

// processorTime is what these processes have had so far. Unlike /proc/<pid>/stat, which counts ticks of 10 ms, this
// is exact to the nanosecond.
func processorTime(pids ...int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return 0, err
		}
		if len(threads) == 0 {
			return 0, fmt.Errorf("reading the time of process %d: %w", pid, fs.ErrNotExist)
		}
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if errors.Is(err, fs.ErrNotExist) {
				continue // the thread has ended since
			}
			if err != nil {
				return 0, fmt.Errorf("reading the time of process %d: %w", pid, err)
			}
			run, _, _ := strings.Cut(string(text), " ")
			nanoseconds, err := strconv.ParseInt(run, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the time of process %d: %w", pid, err)
			}
			sum += time.Duration(nanoseconds)
		}
	}
	return sum, nil
}

// childrenOf are the processes that a process started.
func childrenOf(pid int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended since
		}
		// The program's name stands in brackets and may itself hold blanks: the parent follows the last bracket.
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		words := strings.Fields(rest)
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err == nil && len(words) > 1 && words[1] == strconv.Itoa(pid) {
			children = append(children, child)
		}
	}
	return children, nil
}
