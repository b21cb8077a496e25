// Screens renews the recordings that the screen model is tested with: it runs real programs on a terminal of 120×40,
// keeps the bytes that they write, and asks @xterm/headless which screens those make. Recordings and screens are
// committed, so that only their renewal needs the programs and Node. `make screens` runs it, as root on Debian: the
// programs run in namespaces of their own, so that nothing of the machine is in what they show.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"switchboard/controlplane/e2e/command"
)

func main() { command.Main("screens", run) }

// options is the command line; the Makefile knows where it has put things.
type options struct {
	Xterm  string   `required:"" type:"existingdir" help:"The node_modules with @xterm/headless and its addons."`
	Oracle string   `required:"" type:"existingfile" help:"The program for Node that says what xterm shows."`
	To     string   `required:"" type:"existingdir" help:"Where recordings and screens are written."`
	Only   []string `help:"Record these programs only; all screens are computed again in any case."`
	Keep   bool     `help:"Record nothing, only compute the screens again."`
	Inside bool     `hidden:"" help:"This is the process in the namespaces."`
}

func run(ctx context.Context, args []string, _ func(string) string, stdout, stderr io.Writer) error {
	var o options
	if err := command.Parse("screens", &o, args, stdout, stderr); err != nil {
		return err
	}
	if o.Inside {
		return o.record(ctx, stdout)
	}
	if !o.Keep {
		if err := apart(ctx, args, stdout, stderr); err != nil {
			return err
		}
	}
	return o.judge(ctx, stdout, stderr)
}

// apart runs this program again where there are no other processes, no other homes and no known host name.
func apart(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	const script = `mount -t tmpfs -o mode=755 tmpfs /mnt && hostname mac && exec "$0" --inside "$@"`
	cmd := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "--pid", "--fork", "--mount-proc", "--uts", "--kill-child",
		"sh", "-c", script, self}, args...)...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("record in namespaces (this needs root): %w", err)
	}
	return nil
}

// homeDir is under the empty /mnt that this process sees.
const homeDir = "/mnt/sam"

// record runs the programs, one after the other.
func (o options) record(ctx context.Context, stdout io.Writer) error {
	home := home{dir: homeDir}
	if err := home.make(ctx); err != nil {
		return err
	}
	defer home.close()
	for _, p := range programs {
		if len(o.Only) > 0 && !slices.Contains(o.Only, p.name) {
			continue
		}
		text, err := home.play(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(stdout, "%s: %d bytes\n", p.name, len(text))
		if err := os.WriteFile(filepath.Join(o.To, p.name+".raw"), text, 0o644); err != nil {
			return fmt.Errorf("keep the recording: %w", err)
		}
	}
	return nil
}

// judge lets xterm say what each recording shows.
func (o options) judge(ctx context.Context, stdout, stderr io.Writer) error {
	recordings, err := filepath.Glob(filepath.Join(o.To, "*.raw"))
	if err != nil || len(recordings) == 0 {
		return errors.Join(err, errors.New("there are no recordings"))
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{o.Oracle}, recordings...)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+o.Xterm)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ask xterm: %w", err)
	}
	return nil
}
