package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// maxSocketDir keeps the socket's path within the 104 bytes that macOS allows (108 on Linux).
const maxSocketDir = 104 - 1 - len("/.s.PGSQL.5432")

// cluster is PostgreSQL's directory: what is in it, and who runs it.
type cluster struct {
	dir string
	as  *syscall.Credential // nil: as ourselves
}

func (c cluster) data() string     { return filepath.Join(c.dir, "data") }
func (c cluster) socket() string   { return filepath.Join(c.dir, "run") }
func (c cluster) password() string { return filepath.Join(c.dir, "password") }
func (c cluster) log() string      { return filepath.Join(c.dir, "postgres.log") }

// openCluster makes the directory ready, but not yet the database in it.
func openCluster(dir string) (cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return cluster{}, err
	}
	as, err := serverUser()
	if err != nil {
		return cluster{}, err
	}
	c := cluster{dir: dir, as: as}
	if len(c.socket()) > maxSocketDir {
		return cluster{}, fmt.Errorf("data directory %s: its path is too long to hold a socket by %d bytes; choose a shorter one",
			dir, len(c.socket())-maxSocketDir)
	}
	for _, dir := range []string{c.dir, c.socket()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return cluster{}, err
		}
		if err := giveTo(as, dir); err != nil {
			return cluster{}, err
		}
	}
	return c, checkReachable(as, dir)
}

// major is the version that made the data, or 0 if there is none yet.
func (c cluster) major() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// create makes the database cluster. It is made beside its place and then renamed, so that a start that was
// interrupted leaves nothing that looks like a cluster.
func (c cluster) create(ctx context.Context, bin binaries) error {
	unfinished := c.data() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.WriteFile(c.password(), []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	if err := giveTo(c.as, c.password()); err != nil {
		return err
	}
	initdb := c.command(ctx, bin, "initdb", "--pgdata="+unfinished, "--username="+pgUser, "--pwfile="+c.password(),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums")
	output, err := initdb.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, output)
	}
	return os.Rename(unfinished, c.data())
}

// command is one of PostgreSQL's programs, run as the server's user, in a process group of its own so that
// Ctrl-C in our terminal does not reach it before we have drained. None of our environment goes along: PGPORT or
// PGDATA would lead it elsewhere.
func (c cluster) command(ctx context.Context, bin binaries, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(bin.Dir, name), args...)
	command.Dir = c.dir
	command.Env = []string{"PATH=" + bin.Dir + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + c.dir}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	return command
}

const pgUser = "switchboard"

// url is how to connect. It holds the password.
func (c cluster) url() (string, error) {
	password, err := os.ReadFile(c.password())
	if err != nil {
		return "", fmt.Errorf("database password: %w", err)
	}
	query := url.Values{"host": {c.socket()}, "port": {"5432"}}
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(pgUser, strings.TrimSpace(string(password))),
		Path:     "/postgres",
		RawQuery: query.Encode(),
	}
	return address.String(), nil
}
