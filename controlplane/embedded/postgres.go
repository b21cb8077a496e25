package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// PostgresConfig says where the database lives.
type PostgresConfig struct {
	Dir string // made if missing; holds data, socket, password and log
	Bin string // the directory of PostgreSQL's programs; empty: look for them
	Log *slog.Logger
}

// Postgres is a private PostgreSQL server that this process started or found running.
type Postgres struct {
	cluster cluster
	bin     binaries
	url     string
	log     *slog.Logger
	lock    *os.File
	stop    context.CancelFunc
	stopped chan struct{} // closed when the server and its keeper are gone
}

// How long the server may take. A start after a crash replays the log first.
const (
	pgStartTimeout = 60 * time.Second
	pgStopTimeout  = 30 * time.Second
	pgPoll         = 10 * time.Millisecond
	pgRestartAfter = time.Second
)

// StartPostgres starts the server, making the database if there is none, and returns when it takes connections.
// A server that a killed control plane left behind is taken over instead. If the server dies it is started
// again, until Stop.
func StartPostgres(ctx context.Context, config PostgresConfig) (*Postgres, error) {
	c, err := openCluster(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	lock, err := lockDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	p := &Postgres{cluster: c, log: config.Log, lock: lock, stopped: make(chan struct{})}
	if err := p.start(ctx, config.Bin); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return p, nil
}

func (p *Postgres) start(ctx context.Context, binDir string) error {
	major, err := p.cluster.major()
	if err != nil {
		return err
	}
	if p.bin, err = findBinaries(ctx, binDir, major); err != nil {
		return err
	}
	if major == 0 {
		p.log.InfoContext(ctx, "database being made", "dir", p.cluster.dir, "postgres", p.bin.Major)
		if err := p.cluster.create(ctx, p.bin); err != nil {
			return err
		}
	}
	if p.url, err = p.cluster.url(); err != nil {
		return err
	}
	server, err := p.serve(ctx)
	if err != nil {
		return err
	}
	// The server outlives ctx, which bounds only the start.
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	go p.keep(keep, server)
	return nil
}

// URL is how to connect. It holds the password, so it is not for logs.
func (p *Postgres) URL() string { return p.url }

// Stop ends the server in an orderly way: transactions under way are rolled back, nothing committed is lost. It
// may be called again.
func (p *Postgres) Stop() {
	p.stop()
	<-p.stopped
}

// keep waits for the server to end and starts it again, unless it was told to end.
func (p *Postgres) keep(ctx context.Context, server *pgServer) {
	defer close(p.stopped)
	defer p.lock.Close()
	for {
		select {
		case <-ctx.Done():
			server.stop(p.log)
			return
		case <-server.exited:
			p.log.ErrorContext(ctx, "database server ended by itself", "err", server.err, "log", p.cluster.log())
		}
		if server = p.restart(ctx); server == nil {
			return
		}
	}
}

// restart tries until the server runs again; nil when ctx ended first.
func (p *Postgres) restart(ctx context.Context) *pgServer {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pgRestartAfter):
		}
		server, err := p.serve(ctx)
		if err == nil {
			p.log.InfoContext(ctx, "database server started again")
			return server
		}
		p.log.ErrorContext(ctx, "database server not started", "err", err)
	}
}

// pgServer is one server process: our child, or an earlier control plane's.
type pgServer struct {
	pid    int
	exited chan struct{}
	err    error // set before exited is closed
}

// serve finds the running server or starts one, and waits until it takes connections.
func (p *Postgres) serve(ctx context.Context) (*pgServer, error) {
	ctx, cancel := context.WithTimeout(ctx, pgStartTimeout)
	defer cancel()
	left, err := readPostmaster(p.cluster.data())
	if err != nil {
		return nil, err
	}
	if left.alive() {
		if adopted := p.adopt(ctx, left); adopted != nil {
			return adopted, nil
		}
	}
	return p.spawn(ctx)
}

// adopt takes over the server that postmaster.pid names, waiting while it starts or stops; nil if it is gone or
// turns out to be an unrelated process, which PostgreSQL itself judges.
func (p *Postgres) adopt(ctx context.Context, left postmaster) *pgServer {
	for deadline := time.Now().Add(pgStartTimeout / 6); time.Now().Before(deadline); {
		now, err := readPostmaster(p.cluster.data())
		if err != nil || now.pid != left.pid || !now.alive() {
			return nil
		}
		if now.serves(ctx) {
			p.log.InfoContext(ctx, "database server taken over", "pid", now.pid)
			server := &pgServer{pid: now.pid, exited: make(chan struct{})}
			go server.watch(now)
			return server
		}
		if !pause(ctx) {
			return nil
		}
	}
	return nil
}

// watch notices the end of a process that is not our child.
func (s *pgServer) watch(p postmaster) {
	for p.alive() {
		time.Sleep(10 * pgPoll)
	}
	close(s.exited)
}

// maxLog is the size from which the server's log is begun anew at a start; one older is kept.
const maxLog = 10 << 20

func (p *Postgres) spawn(ctx context.Context) (*pgServer, error) {
	log, err := p.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// The log is a file and not ours: a child that holds our stderr would keep a pipe on it open after us.
	command := p.cluster.command(context.WithoutCancel(ctx), p.bin, "postgres", "-D", p.cluster.data(),
		"-c", "listen_addresses=", "-c", "port=5432",
		"-c", "unix_socket_directories="+p.cluster.socket(), "-c", "unix_socket_permissions=0700",
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on",
		"-c", "logging_collector=off", "-c", "cluster_name=switchboard")
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	server := &pgServer{pid: command.Process.Pid, exited: make(chan struct{})}
	go server.wait(command)
	if err := p.awaitReady(ctx, server); err != nil {
		server.stop(p.log)
		return nil, err
	}
	return server, nil
}

func (s *pgServer) wait(command *exec.Cmd) {
	s.err = command.Wait()
	close(s.exited)
}

func (p *Postgres) awaitReady(ctx context.Context, server *pgServer) error {
	for {
		now, err := readPostmaster(p.cluster.data())
		if err == nil && now.pid == server.pid && now.serves(ctx) {
			return nil
		}
		select {
		case <-server.exited:
			return fmt.Errorf("server ended at once (%w): see %s", errors.Join(errEnded, server.err), p.cluster.log())
		case <-ctx.Done():
			return fmt.Errorf("server not ready: %w: see %s", ctx.Err(), p.cluster.log())
		case <-time.After(pgPoll):
		}
	}
}

var errEnded = errors.New("no connection was taken")

func (p *Postgres) openLog() (*os.File, error) {
	path := p.cluster.log()
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// stop asks for a fast shutdown (SIGINT), and for an immediate one (SIGQUIT) if that takes too long.
func (s *pgServer) stop(log *slog.Logger) {
	for _, ask := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := syscall.Kill(s.pid, ask); err != nil && !errors.Is(err, syscall.ESRCH) {
			log.Error("database server not signalled", "pid", s.pid, "signal", ask, "err", err)
		}
		select {
		case <-s.exited:
			return
		case <-time.After(pgStopTimeout):
			log.Warn("database server is slow to stop", "pid", s.pid, "signal", ask)
		}
	}
}

// pause waits one poll; false when ctx has ended.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pgPoll):
		return true
	}
}
