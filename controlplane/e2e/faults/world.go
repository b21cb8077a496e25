package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/embedded"
)

// world is the whole system under test.
type world struct {
	plan     plan
	dir      string
	root     string // of the module
	programs harness.Programs
	cli      string // what the hosts know as claude

	postgres    *embedded.Postgres
	database    database
	bus         *part
	busNetworks []*harness.Proxy // each replica's way to the bus, by which its hosts come, too
	busAddress  string
	planes      []*part
	front       *harness.Proxy // clients come through it
	hosts       []*host
	model       *model.Endpoint

	browser  *harness.Browser
	oauth    *harness.OAuth
	token    string
	history  history
	versions []version // of the host agent

	mu       sync.Mutex // guards the fields below
	sessions []*agentSession
	texts    int
	secrets  map[string]string // what nobody may read anywhere, and what that is
	revoked  []revocation

	stop context.CancelFunc // of those who keep the parts up
	kept sync.WaitGroup
}

// host is a machine with its own way to the control plane.
type host struct {
	*harness.Host
	part    *part
	network *harness.Proxy

	// Guarded by part's lock, as what it launches is.
	upgrades int
	version  string // that runs; empty: the first
}

// version is a program.
type version struct{ name, program string }

// agentSession is a session as those know it who start and end it. World's lock guards what changes.
type agentSession struct {
	id     string
	host   *host
	fate   fate
	busy   bool // somebody starts or ends it
	struck bool // its holder or its agent was killed
}

// fate is what has been asked for last.
type fate int

// The fates.
const (
	lives   fate = iota
	ended        // by somebody's wish or by a kill
	unclear      // nobody got an answer
)

func (s *agentSession) lives() bool { return s.fate == lives }

const (
	replicas        = 2
	machines        = 2
	sessionsOnEach  = 3
	realSessions    = 1 // on each machine: the real CLI is heavy
	redirect        = "http://127.0.0.1:33418/callback"
	standinPackage  = "switchboard/controlplane/e2e/standin"
	natsPackage     = "github.com/nats-io/nats-server/v2"
	accountPassword = "correct horse battery staple"
)

func startWorld(ctx context.Context, p plan, getenv func(string) string) (w *world, err error) {
	dir, err := harness.TempDir()
	if err != nil {
		return nil, err
	}
	w = &world{plan: p, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end(false))
		}
	}()
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	for _, step := range []func(context.Context, func(string) string) error{
		w.build, w.startPostgres, w.stampCommits, w.startBus, w.startPlanes, w.connect, w.startHosts,
	} {
		if err := step(ctx, getenv); err != nil {
			return nil, err
		}
	}
	for _, p := range w.parts() {
		w.kept.Go(func() { p.keepUp(keeping) })
	}
	return w, w.firstSessions(ctx)
}

func (w *world) parts() []*part {
	parts := append([]*part{w.bus}, w.planes...)
	for _, h := range w.hosts {
		parts = append(parts, h.part)
	}
	return parts
}

func (w *world) build(ctx context.Context, getenv func(string) string) (err error) {
	bin := filepath.Join(w.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("looking for the module: %w", err)
	}
	w.root = filepath.Dir(strings.TrimSpace(string(out)))
	if w.programs, err = harness.Build(ctx, getenv, bin); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", bin+string(filepath.Separator), standinPackage, natsPackage)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building what stands beside: %w: %s", err, out)
	}
	if w.versions, err = w.buildVersions(ctx, getenv, bin); err != nil {
		return err
	}
	w.cli = filepath.Join(bin, "standin")
	if !w.plan.real {
		return nil
	}
	if w.cli, err = claudecli.Find(getenv); err != nil {
		return err
	}
	w.model, err = new(model.Server).Start(ctx, "127.0.0.1:0")
	return err
}

// buildVersions makes another host agent to upgrade to, unless the programs are given: then it is the same one.
func (w *world) buildVersions(ctx context.Context, getenv func(string) string, bin string) ([]version, error) {
	first := version{"", w.programs.HostAgent}
	if getenv(harness.BinVariable) != "" {
		return []version{first}, nil
	}
	next := version{"next", filepath.Join(bin, "hostagent-next")}
	build := exec.CommandContext(ctx, "go", "build", "-ldflags", "-X main.version="+next.name, "-o", next.program, "switchboard/hostagent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the next host agent: %w: %s", err, out)
	}
	return []version{first, next}, nil
}

func (w *world) startPostgres(ctx context.Context, _ func(string) string) (err error) {
	w.database = database{dir: filepath.Join(w.dir, "postgres")}
	w.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{Dir: w.database.dir, Log: slog.New(slog.DiscardHandler)})
	return err
}

// stampCommits has PostgreSQL keep when each transaction was committed, which it takes a restart to begin with.
func (w *world) stampCommits(ctx context.Context, _ func(string) string) error {
	db, err := w.connectDatabase(ctx)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, `ALTER SYSTEM SET track_commit_timestamp = on`)
	if err := errors.Join(err, db.Close(ctx)); err != nil {
		return err
	}
	w.database.signal(syscall.SIGINT)
	return harness.Await(ctx, "PostgreSQL to stamp commits", func(ctx context.Context) (bool, error) {
		var setting string
		err := w.inDatabase(ctx, func(db *pgx.Conn) error {
			return db.QueryRow(ctx, `SHOW track_commit_timestamp`).Scan(&setting)
		})
		return setting == "on", err
	})
}

// planeDir is both replicas': they share their keys.
func (w *world) planeDir() string { return filepath.Join(w.dir, "plane") }

// startBus runs NATS with the configuration that we ship, but for the port and the directory.
func (w *world) startBus(ctx context.Context, _ func(string) string) error {
	data := filepath.Join(w.planeDir(), "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	keys, err := exec.CommandContext(ctx, w.programs.ControlPlane, "keys", "--data", data).Output()
	if err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(w.root, "deploy", "nats.conf"))
	if err != nil {
		return err
	}
	address, err := harness.FreeAddress(ctx)
	if err != nil {
		return err
	}
	config := filepath.Join(w.dir, "nats.conf")
	replaced := strings.NewReplacer("/data/jetstream", filepath.Join(w.dir, "jetstream"), "port: 4222", "listen: "+address)
	if err := os.WriteFile(config, []byte(replaced.Replace(string(text))), 0o600); err != nil {
		return err
	}
	w.bus = &part{name: "nats", launch: func(context.Context) (*harness.Process, error) {
		return harness.StartProcess(w.dir, strings.Fields(string(keys)), filepath.Join(w.dir, "bin", "nats-server"), "-c", config)
	}}
	w.bus.up(ctx)
	w.busAddress = address
	return nil
}

func (w *world) startPlanes(ctx context.Context, _ func(string) string) error {
	var addresses []string
	for range replicas {
		address, err := harness.FreeAddress(ctx)
		if err != nil {
			return err
		}
		addresses = append(addresses, address)
	}
	var err error
	if w.front, err = harness.StartProxy(ctx, addresses...); err != nil {
		return err
	}
	for i, address := range addresses {
		network, err := harness.StartProxy(ctx, w.busAddress)
		if err != nil {
			return err
		}
		w.busNetworks = append(w.busNetworks, network)
		plane := &harness.ControlPlane{
			Programs: w.programs, Dir: w.planeDir(), Listen: address, Front: "http://" + w.front.Address(),
			Env: []string{"DATABASE_URL=" + w.postgres.URL(), "NATS_URL=nats://" + network.Address(), "SWITCHBOARD_RATE=0"},
		}
		p := &part{name: fmt.Sprintf("replica %d", i+1), launch: func(ctx context.Context) (*harness.Process, error) {
			err := plane.Launch(ctx)
			return plane.Process(), err
		}}
		w.planes = append(w.planes, p)
		if i == 0 { // it migrates the schema, and prints the link
			if err := plane.Start(ctx); err != nil {
				return err
			}
			p.process = plane.Process()
			link, err := plane.SetupLink(ctx)
			if err != nil {
				return err
			}
			if w.browser, err = harness.NewBrowser(plane.URL(), "alice", accountPassword+rand.Text()); err != nil {
				return err
			}
			if err := w.browser.Join(ctx, link); err != nil {
				return err
			}
			continue
		}
		p.up(ctx)
	}
	return nil
}

// connect makes a client that may do everything.
func (w *world) connect(ctx context.Context, _ func(string) string) error {
	w.oauth = &harness.OAuth{MCP: w.mcp(), Browser: w.browser, Redirect: redirect}
	w.keepSecret("password", w.browser.Password)
	if err := w.oauth.Discover(ctx); err != nil {
		return err
	}
	w.oauth.AllScopes()
	if err := w.oauth.Register(ctx); err != nil {
		return err
	}
	tokens, err := w.logIn(ctx)
	w.token = tokens.Access
	return err
}

func (w *world) mcp() string { return "http://" + w.front.Address() + "/mcp" }

func (w *world) startHosts(ctx context.Context, _ func(string) string) error {
	endpoint := "http://127.0.0.1:9" // the stand-in needs no model
	if w.model != nil {
		endpoint = w.model.URL
	}
	for i := range machines {
		name := fmt.Sprintf("machine-%d", i+1)
		h := &host{Host: &harness.Host{
			Programs: w.programs, Name: name, Model: endpoint,
			Home: claudecli.Home{Dir: filepath.Join(w.dir, name), CLI: w.cli},
		}}
		var err error
		if h.network, err = harness.StartProxy(ctx, w.front.Targets...); err != nil {
			return err
		}
		w.hosts = append(w.hosts, h)
		if w.plan.disks {
			if err := h.mount(); err != nil {
				return fmt.Errorf("a disk for %s: %w", name, err)
			}
		}
		if err := h.Prepare(ctx); err != nil {
			return err
		}
		token, err := w.browser.JoinToken(ctx, name)
		if err != nil {
			return err
		}
		w.keepSecret("join token", token)
		if err := h.Enrol(ctx, "http://"+h.network.Address(), token); err != nil {
			return err
		}
		if err := w.keepHostKey(h); err != nil {
			return err
		}
		h.part = &part{name: name, launch: func(context.Context) (*harness.Process, error) {
			err := h.Start()
			return h.Process(), err
		}}
		h.part.up(ctx)
	}
	return nil
}

func (w *world) firstSessions(ctx context.Context) error {
	count := sessionsOnEach
	if w.plan.real {
		count = realSessions
	}
	for _, h := range w.hosts {
		for range count {
			err := harness.Await(ctx, "a session on "+h.Name, func(ctx context.Context) (bool, error) {
				return w.create(ctx, h) != nil, nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// live picks a session that nobody has ended.
func (w *world) live(pick func(n int) int) *agentSession {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []*agentSession
	for _, s := range w.sessions {
		if s.lives() {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[pick(len(list))]
}

// newest is the session on a host that nobody has ended and that began last.
func (w *world) newest(h *host) *agentSession {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range slices.Backward(w.sessions) {
		if s.host == h && s.lives() {
			return s
		}
	}
	return nil
}

// claim takes the oldest session that fits and that nobody else starts or ends, until release.
func (w *world) claim(fits func(*agentSession) bool) *agentSession {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sessions {
		if !s.busy && fits(s) {
			s.busy = true
			return s
		}
	}
	return nil
}

func (w *world) release(s *agentSession) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.busy = false
}

func (w *world) becomes(s *agentSession, next fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.fate = next
}

// unique is a number that no other text has.
func (w *world) unique() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts++
	return w.texts
}

// end stops everything.
func (w *world) end(keep bool) (err error) {
	if w.stop != nil {
		w.stop()
	}
	w.kept.Wait()
	if w.bus != nil {
		for _, p := range w.parts() {
			err = errors.Join(err, p.stop())
		}
	}
	for _, p := range w.proxies() {
		p.Close()
	}
	if w.postgres != nil {
		w.postgres.Stop()
	}
	err = errors.Join(err, harness.EndAll(w.dir))
	for _, h := range w.hosts {
		if w.plan.disks && !keep {
			err = errors.Join(err, unmountDisk(h.diskDir()))
		}
	}
	if w.model != nil {
		err = errors.Join(err, w.model.Close())
	}
	if keep {
		fmt.Println("kept:", w.dir)
		return errors.Join(err, w.keepOutput())
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

func (w *world) proxies() []*harness.Proxy {
	all := slices.Clone(w.busNetworks)
	if w.front != nil {
		all = append(all, w.front)
	}
	for _, h := range w.hosts {
		if h.network != nil {
			all = append(all, h.network)
		}
	}
	return all
}

// keepOutput writes down what the programs wrote.
func (w *world) keepOutput() (err error) {
	for _, p := range w.parts() {
		err = errors.Join(err, os.WriteFile(filepath.Join(w.dir, p.name+".log"), []byte(p.output()), 0o600))
	}
	return err
}
