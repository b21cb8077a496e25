package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	nanoseconds, err := sumOverThreads("schedstat", pids, func(text string) (int64, error) {
		run, _, _ := strings.Cut(text, " ")
		return strconv.ParseInt(run, 10, 64)
	})
	return time.Duration(nanoseconds), err
}

// wakeUps is how often these processes' threads have waited for something so far.
func wakeUps(pids ...int) (int64, error) {
	return sumOverThreads("status", pids, func(text string) (int64, error) {
		_, rest, _ := strings.Cut(text, "\nvoluntary_ctxt_switches:\t")
		number, _, _ := strings.Cut(rest, "\n")
		return strconv.ParseInt(number, 10, 64)
	})
}

// sumOverThreads reads a number from a file of each of the processes' threads.
func sumOverThreads(file string, pids []int, read func(text string) (int64, error)) (sum int64, err error) {
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/%s", pid, file))
		if err != nil {
			return 0, err
		}
		if len(threads) == 0 {
			return 0, fmt.Errorf("reading %s of process %d: %w", file, pid, fs.ErrNotExist)
		}
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				continue // the thread has ended since
			}
			if err != nil {
				return 0, fmt.Errorf("reading %s of process %d: %w", file, pid, err)
			}
			number, err := read(string(text))
			if err != nil {
				return 0, fmt.Errorf("reading %s of process %d: %w", file, pid, err)
			}
			sum += number
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
