package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"switchboard/controlplane/e2e/harness"
	"switchboard/hostagent/protocol"
)

// What keeps an agent's hooks from telling.
const (
	diskFull     = "disk full"
	frozenHolder = "freeze of a holder"
)

// hostInjections are what only befalls a host.
func (w *world) hostInjections(h *host) []injection {
	list := []injection{
		{"upgrade", h.Name, 2, func(context.Context) { w.upgrade(h) }, h.part.raise, 0, time.Second},
		{"torn tail", h.Name, 2, func(context.Context) { h.part.kill(); h.tear() }, h.part.raise, 0, time.Second},
		// It is away by then, and its connections are dead.
		{"freeze long", h.Name, 1, func(context.Context) { h.part.freeze() }, func(context.Context) { h.part.thaw() },
			protocol.OfflineAfter + time.Second, protocol.OfflineAfter + 5*time.Second},
		{"partition long", h.Name, 1, func(context.Context) { h.network.Freeze(harness.There, harness.Back) },
			func(context.Context) { h.network.Thaw() }, protocol.OfflineAfter + time.Second, 2 * protocol.OfflineAfter},
		w.freezingHolder(h),
		{"kill -9 of a holder", h.Name, 2, func(ctx context.Context) { w.killOne(ctx, h, true) }, nothing, 0, 0},
		{"kill -9 of an agent", h.Name, 2, func(ctx context.Context) { w.killOne(ctx, h, false) }, nothing, 0, 0},
	}
	if !w.plan.disks {
		return list
	}
	return append(list, injection{diskFull, h.Name, 3, func(context.Context) { h.fill() },
		func(context.Context) { h.drain() }, 500 * time.Millisecond, 5 * time.Second})
}

// freezingHolder freezes the holder of a session, as a machine does that is suspended or has no memory left.
func (w *world) freezingHolder(h *host) injection {
	var frozen []int
	signal := func(s syscall.Signal) {
		for _, pid := range frozen {
			_ = syscall.Kill(pid, s) // it may have ended a moment ago
		}
	}
	return injection{frozenHolder, h.Name, 3, func(context.Context) {
		if s := w.newest(h); s != nil {
			_, frozen, _ = w.processesOf(s.id) // none, if they cannot be found
		}
		signal(syscall.SIGSTOP)
	}, func(context.Context) { signal(syscall.SIGCONT) }, 200 * time.Millisecond, longest}
}

// upgrade puts the other version of the host agent elsewhere, and takes the one away that ran.
func (w *world) upgrade(h *host) {
	err := h.part.swap(func() error {
		h.upgrades++
		next := filepath.Join(w.dir, fmt.Sprintf("%s-%d", h.Name, h.upgrades), "hostagent")
		version := w.versions[h.upgrades%len(w.versions)]
		if err := copyProgram(version.program, next); err != nil {
			return err
		}
		before := h.Programs.HostAgent
		h.Programs.HostAgent, h.version = next, version.name
		if before == w.programs.HostAgent {
			return nil
		}
		return os.RemoveAll(filepath.Dir(before))
	})
	if err != nil {
		fmt.Println("no upgrade:", err)
	}
}

func copyProgram(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		_ = target.Close()
		return err
	}
	return target.Close()
}

// tear leaves half a line at the end of each event log, as a loss of power does with what was never told.
func (h *host) tear() {
	logs, _ := filepath.Glob(filepath.Join(h.sessionsDir(), "*", "events.jsonl")) // the pattern is well formed
	for _, path := range logs {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			continue
		}
		_, _ = file.WriteString(`{"journal":99999,"events":[{"seq":1,"ki`) // a full disk tears by itself
		_ = file.Close()
	}
}

// killOne kills a session's holder, or the agent in it. The session has to end, and to say so.
func (w *world) killOne(ctx context.Context, h *host, holder bool) {
	s := w.claim(func(s *agentSession) bool { return s.host == h && s.lives() })
	if s == nil {
		return
	}
	defer w.release(s)
	agents, holders, err := w.processesOf(s.id)
	if err != nil {
		return
	}
	struck := agents
	if holder {
		struck = holders
	}
	w.mu.Lock()
	s.fate = ended
	s.struck = true
	w.mu.Unlock()
	for _, pid := range struck {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended a moment ago
	}
	wait(ctx, 100*time.Millisecond)
}

// diskSize is a host's whole disk: much more than a run needs.
const diskSize = "size=96m"

// mount gives the host's directory a small disk of its own.
func (h *host) mount() error {
	if err := os.MkdirAll(h.diskDir(), 0o700); err != nil {
		return err
	}
	return mountDisk(h.diskDir(), diskSize)
}

func (h *host) diskDir() string { return filepath.Join(h.Home.Dir, ".switchboard") }

func (h *host) balloon() string { return filepath.Join(h.diskDir(), "balloon") }

// fill takes all room there is.
func (h *host) fill() {
	file, err := os.OpenFile(h.balloon(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	defer file.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err := file.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2] // to the last byte
		}
	}
}

func (h *host) drain() { _ = os.Remove(h.balloon()) }
