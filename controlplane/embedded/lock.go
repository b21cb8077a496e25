package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir takes the directory for this process, until the returned file is closed or the process is gone in
// whatever way. Two servers on one data directory would destroy it.
func lockDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errors.New("another control plane is running there: stop it first")
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	return file, nil
}
