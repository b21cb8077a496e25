package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// linkProgram makes a lasting name for this program and returns it. The agents' hooks are told one when an agent is
// started, and it must still be good when the program was replaced by one elsewhere: a package manager puts each
// version into a directory of its own, and removes the old one under sessions that live.
func linkProgram(d hostDir) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the host agent's own program: %w", err)
	}
	link := d.program()
	if to, err := os.Readlink(link); err == nil && to == self || self == link {
		return link, nil
	}
	next := link + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("link the host agent's program: %w", err)
	}
	if err := errors.Join(os.Symlink(self, next), os.Rename(next, link)); err != nil {
		return "", fmt.Errorf("link the host agent's program: %w", err)
	}
	return link, nil
}
