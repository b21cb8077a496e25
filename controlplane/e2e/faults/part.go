package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// part is a program of the system that is kept up, as launchd, systemd or docker would, and can be taken down.
type part struct {
	name   string
	launch func(context.Context) (*harness.Process, error)

	mu      sync.Mutex // guards the fields below
	process *harness.Process
	down    bool // on purpose
	starts  int
	written string // by those that have ended
}

// restartAfter is how soon a part that ended by itself is started again.
const restartAfter = 300 * time.Millisecond

// keepUp starts the part whenever it does not run and is not down on purpose.
func (p *part) keepUp(ctx context.Context) {
	for {
		p.up(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartAfter):
		}
	}
}

func (p *part) up(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down || p.process.Running() || ctx.Err() != nil {
		return
	}
	if p.process != nil {
		p.written += p.process.Output() + "\n-- ended\n"
		p.process = nil
	}
	if process, err := p.launch(ctx); err == nil {
		p.process = process
		p.starts++
	}
}

// kill takes the part down as kill -9 does, until raise.
func (p *part) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	if p.process.Running() {
		_ = p.process.Kill() // it may have ended a moment ago
	}
}

func (p *part) raise(ctx context.Context) {
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	p.up(ctx)
}

// swap kills the part and changes what is launched next.
func (p *part) swap(change func() error) error {
	p.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	return change()
}

func (p *part) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process.Running() {
		_ = p.process.Freeze()
	}
}

func (p *part) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process.Running() {
		_ = p.process.Thaw()
	}
}

func (p *part) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return p.written
	}
	return p.written + p.process.Output()
}

// stop ends the part for good.
func (p *part) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	if !p.process.Running() {
		return nil
	}
	return p.process.Kill()
}

// database is the PostgreSQL server, which package embedded keeps up.
type database struct{ dir string }

// postmaster is the server's process; 0 if none runs.
func (d database) postmaster() int {
	text, err := os.ReadFile(filepath.Join(d.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(line)) // half written: 0
	return pid
}

func (d database) signal(s syscall.Signal) {
	if pid := d.postmaster(); pid > 1 {
		_ = syscall.Kill(pid, s)
	}
}
