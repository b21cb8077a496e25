package embedded

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// starterDir makes this test binary a process that starts PostgreSQL there and waits to be killed.
const starterDir = "EMBEDDED_TEST_STARTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(starterDir); dir != "" {
		p, err := StartPostgres(context.Background(), testConfig(dir))
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString(p.URL() + "\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	m.Run()
}

func testConfig(dir string) PostgresConfig {
	return PostgresConfig{Dir: dir, Bin: os.Getenv("PG_BIN"), Log: slog.New(slog.DiscardHandler)}
}

// shortDir is a directory that PostgreSQL's user may enter, with room for a socket's path.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pg")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, dir string) *Postgres {
	t.Helper()
	p, err := StartPostgres(t.Context(), testConfig(dir))
	must(t, err)
	t.Cleanup(p.Stop)
	return p
}

func execute(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	for _, statement := range statements {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
}

func TestPostgresKeepsDataFromStartToStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := shortDir(t)
	first := start(t, dir)
	execute(t, first.URL(), `CREATE TABLE kept (n int)`)
	first.Stop()
	first.Stop() // means nothing
	if now, err := readPostmaster(first.cluster.data()); now.pid != 0 || err != nil {
		t.Errorf("a server with pid %d is left after Stop: %v", now.pid, err)
	}
	second := start(t, dir)
	execute(t, second.URL(), `SELECT n FROM kept`)
	if first.URL() != second.URL() {
		t.Error("the address changed")
	}
	second.Stop()
}

func TestPostgresIsPrivate(t *testing.T) {
	dir := shortDir(t)
	p := start(t, dir)
	for path, want := range map[string]os.FileMode{dir: 0o700, p.cluster.socket(): 0o700, p.cluster.password(): 0o600, p.cluster.log(): 0o600} {
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	config, err := pgx.ParseConfig(p.URL())
	must(t, err)
	config.Password = "wrong"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Error("let in with a wrong password")
	}
	execute(t, p.URL(), `DO $$ BEGIN
		IF current_setting('listen_addresses') <> '' OR current_setting('fsync') <> 'on' OR current_setting('synchronous_commit') <> 'on'
		THEN RAISE EXCEPTION 'unsafe settings'; END IF; END $$`)
}

func TestPostgresTakesOneControlPlane(t *testing.T) {
	dir := shortDir(t)
	start(t, dir)
	if _, err := StartPostgres(t.Context(), testConfig(dir)); err == nil || !strings.Contains(err.Error(), "another control plane is running") {
		t.Errorf("a second start: %v", err)
	}
}

// TestPostgresOutlivesKilledControlPlane starts it in another process, kills that with -9, and takes over.
func TestPostgresOutlivesKilledControlPlane(t *testing.T) {
	dir := shortDir(t)
	starter := exec.CommandContext(t.Context(), os.Args[0])
	starter.Env = append(os.Environ(), starterDir+"="+dir)
	stdin, err := starter.StdinPipe()
	must(t, err)
	defer stdin.Close()
	stdout, err := starter.StdoutPipe()
	must(t, err)
	must(t, starter.Start())
	url, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	execute(t, strings.TrimSpace(url), `CREATE TABLE kept (n int)`)
	must(t, starter.Process.Kill())
	_ = starter.Wait() // says that it was killed
	before, err := readPostmaster(filepath.Join(dir, "data"))
	must(t, err)

	p := start(t, dir)
	execute(t, p.URL(), `SELECT n FROM kept`)
	if after, err := readPostmaster(p.cluster.data()); after.pid != before.pid || err != nil {
		t.Errorf("pid %d after, %d before, %v; want the same server", after.pid, before.pid, err)
	}
	p.Stop()
	if before.alive() {
		t.Error("the server that was taken over is left after Stop")
	}
}

func TestPostgresIsStartedAgain(t *testing.T) {
	p := start(t, shortDir(t))
	execute(t, p.URL(), `CREATE TABLE kept (n int)`)
	before, err := readPostmaster(p.cluster.data())
	must(t, err)
	must(t, syscall.Kill(before.pid, syscall.SIGKILL))
	for {
		now, err := readPostmaster(p.cluster.data())
		if err == nil && now.pid != before.pid && now.serves(t.Context()) {
			break
		}
		select {
		case <-time.After(pgPoll):
		case <-t.Context().Done():
			t.Fatal("not started again")
		}
	}
	execute(t, p.URL(), `SELECT n FROM kept`)
}

func TestPostgresRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, dir string) PostgresConfig
		want    string
	}{
		{"another version's data", func(t *testing.T, dir string) PostgresConfig {
			must(t, os.MkdirAll(filepath.Join(dir, "data"), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o644))
			return testConfig(dir)
		}, "PostgreSQL 9, which made the data directory"},
		{"no programs there", func(t *testing.T, dir string) PostgresConfig {
			config := testConfig(dir)
			config.Bin = dir
			return config
		}, "no PostgreSQL that can be used in " + "/tmp"},
		{"long path", func(t *testing.T, dir string) PostgresConfig {
			return testConfig(filepath.Join(dir, strings.Repeat("long", 25)))
		}, "choose a shorter one"},
		{"a directory that its user may not enter", func(t *testing.T, dir string) PostgresConfig {
			if os.Getuid() != 0 {
				t.Skip("only root runs it as somebody else")
			}
			must(t, os.Mkdir(filepath.Join(dir, "closed"), 0o700))
			return testConfig(filepath.Join(dir, "closed", "db"))
		}, "/closed: choose a data directory elsewhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := StartPostgres(t.Context(), test.prepare(t, shortDir(t)))
			if err == nil {
				p.Stop()
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// TestInterruptedInit leaves what a kill in the middle of initdb leaves.
func TestInterruptedInit(t *testing.T) {
	dir := shortDir(t)
	must(t, os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "data.new", "PG_VERSION"), []byte("15\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "password"), []byte("of a cluster that never was"), 0o600))
	execute(t, start(t, dir).URL(), `SELECT 1`)
}

// TestForeignPID puts the number of a living process that is no server into postmaster.pid, as a reboot may.
func TestForeignPID(t *testing.T) {
	p := postmaster{pid: os.Getpid(), socket: t.TempDir(), ready: true}
	if !p.alive() || p.serves(t.Context()) {
		t.Errorf("alive %v, serves %v; want a process that serves nothing", p.alive(), p.serves(t.Context()))
	}
}

func FuzzPostmaster(f *testing.F) {
	f.Add("123\n/data\n1700000000\n5432\n/run\n\n  123  456\nready   \n")
	f.Add("123\n/data\n")
	f.Add("")
	f.Add("-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePostmaster(text)
		if err == nil && p.pid <= 1 {
			t.Errorf("pid %d from %q: a signal to it would reach more than a server", p.pid, text)
		}
	})
}
