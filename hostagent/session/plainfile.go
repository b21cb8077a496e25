package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// errNotPlain: what has the name of one of the agent's files is something else.
var errNotPlain = errors.New("not a plain file of that place")

// openPlain opens a file that the agent should have written. Any program of the person's can put something else in its
// place, which must neither be waited for nor lead to another file: the last own names of the path are followed as they
// are, through no symbolic link, and a file must be a regular one.
func openPlain(path string, own int) (*os.File, error) {
	dir, names := filepath.Clean(path), []string(nil)
	for range own {
		names = append([]string{filepath.Base(dir)}, names...)
		dir = filepath.Dir(dir)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for i := 0; i < len(names) && err == nil; i++ {
		// Without O_NONBLOCK, opening a pipe would wait for who writes into it.
		flags := unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
		if i < len(names)-1 {
			flags |= unix.O_DIRECTORY
		}
		above := fd
		fd, err = unix.Openat(above, names[i], flags, 0)
		_ = unix.Close(above) // it was only read
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", strings.Join(names, "/"), err)
	}
	var stat unix.Stat_t
	err = unix.Fstat(fd, &stat)
	if kind := stat.Mode & unix.S_IFMT; err == nil && kind != unix.S_IFREG && kind != unix.S_IFDIR {
		err = errNotPlain
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", strings.Join(names, "/"), err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), path), nil
}
