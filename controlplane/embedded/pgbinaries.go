package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
)

// oldestPostgres is the oldest major version that the migrations run on.
const oldestPostgres = 14

// binaries is one installed PostgreSQL.
type binaries struct {
	Dir   string // holds postgres and initdb
	Major int
}

// whereInstalled are the directories into which PostgreSQL is installed without being in $PATH: by Debian's
// packages, by Homebrew on Apple and Intel Macs, by Postgres.app.
var whereInstalled = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries chooses the PostgreSQL to run: the newest, or of version major if that is not 0, because a data
// directory can only be served by the major version that made it. A non-empty dir is the only place looked at.
func findBinaries(ctx context.Context, dir string, major int) (binaries, error) {
	dirs := []string{dir}
	if dir == "" {
		dirs = candidates()
	}
	var best binaries
	var found []int
	for _, dir := range dirs {
		version, err := majorVersion(ctx, dir)
		if err != nil {
			continue
		}
		found = append(found, version)
		if version >= oldestPostgres && (major == 0 || version == major) && version > best.Major {
			best = binaries{Dir: dir, Major: version}
		}
	}
	switch {
	case best.Major != 0:
		return best, nil
	case dir != "":
		return best, fmt.Errorf("no PostgreSQL that can be used in %s (need %s, found %v)", dir, wanted(major), found)
	case len(found) > 0:
		return best, fmt.Errorf("need %s, but installed is only %v", wanted(major), found)
	}
	return best, errors.New("PostgreSQL is not installed: run `" + installCommand() +
		"`, or set DATABASE_URL to a server of yours")
}

func wanted(major int) string {
	if major == 0 {
		return fmt.Sprintf("PostgreSQL %d or newer", oldestPostgres)
	}
	return fmt.Sprintf("PostgreSQL %d, which made the data directory", major)
}

func candidates() []string {
	var dirs []string
	for _, pattern := range whereInstalled {
		matches, _ := filepath.Glob(pattern) // the patterns are well formed
		dirs = append(dirs, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	return dirs
}

func installCommand() string {
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@17"
	}
	return "sudo apt-get install -y postgresql"
}

// version matches what `postgres --version` prints: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
var version = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func majorVersion(ctx context.Context, dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err // a client-only installation
	}
	output, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("ask the version of %s: %w", dir, err)
	}
	match := version.FindSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("version of %s: %q", dir, output)
	}
	return strconv.Atoi(string(match[1]))
}
