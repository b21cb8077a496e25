package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// unprivileged are the accounts as which a root control plane runs PostgreSQL, which refuses to run as root. The
// account must exist: "initdb: could not look up effective user ID" otherwise.
var unprivileged = []string{"postgres", "_postgres", "nobody"}

// serverUser is the account that the server runs as, or nil for our own.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range unprivileged {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("uid of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("gid of %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{}}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// giveTo makes path the server user's, if there is one.
func giveTo(as *syscall.Credential, path string) error {
	if as == nil {
		return nil
	}
	return os.Chown(path, int(as.Uid), int(as.Gid))
}

// checkReachable finds the directory above dir that the server user may not pass through, such as root's home.
func checkReachable(as *syscall.Credential, dir string) error {
	if as == nil {
		return nil
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return err
		}
		if !mayPass(as, info) {
			return fmt.Errorf("started by root, PostgreSQL runs as uid %d, which may not enter %s: "+
				"choose a data directory elsewhere, such as /var/lib/switchboard", as.Uid, parent)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

func mayPass(as *syscall.Credential, info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode()&0o001 != 0 || (ok && owner.Uid == as.Uid && info.Mode()&0o100 != 0)
}
