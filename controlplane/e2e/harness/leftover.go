package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Leftover is a process that is still there.
type Leftover struct {
	PID     int
	Command string
}

// Leftovers are the processes whose command line names something below dir: sessions, which outlive their host
// agent on purpose, and what a killed control plane has left behind.
func Leftovers(dir string) ([]Leftover, error) {
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output() //nolint:noctx // part of every clean-up
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var found []Leftover
	for line := range strings.Lines(string(out)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err == nil && pid != os.Getpid() && strings.Contains(command, dir+string(filepath.Separator)) {
			found = append(found, Leftover{PID: pid, Command: strings.TrimSpace(command)})
		}
	}
	return found, nil
}

// EndAll kills the leftovers of dir.
func EndAll(dir string) error {
	leftovers, err := Leftovers(dir)
	if err != nil {
		return err
	}
	for _, l := range leftovers {
		process, err := os.FindProcess(l.PID)
		if err != nil {
			continue
		}
		if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("ending process %d: %w", l.PID, err)
		}
	}
	return nil
}
