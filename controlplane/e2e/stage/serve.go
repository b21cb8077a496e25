package stage

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"switchboard/controlplane/e2e/asker"
)

// wordHook is the word with which the CLI starts the program that plays the scene as a hook.
const wordHook = "hook"

// Serve lets a program that plays scenes serve as what its CLI starts: a hook or an MCP server. It reports whether
// this process is one; the program is then done.
func Serve(args []string, in io.Reader, out io.Writer) (served bool, err error) {
	switch {
	case len(args) == 3 && args[0] == wordHook:
		return true, sendHook(args[1], args[2], in, out)
	case len(args) == 1 && args[0] == asker.Argument:
		return true, asker.Serve(in, out)
	}
	return false, nil
}

// ServeOr is the whole of a program's tests: it serves as what the CLI starts, or does what they do otherwise.
func ServeOr(run func() int) {
	served, err := Serve(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case served:
		os.Exit(0)
	}
	os.Exit(run())
}

// hookCommand is the shell command of one event's hook.
func hookCommand(self, socket string) func(event string) string {
	return func(event string) string { return fmt.Sprintf("'%s' %s '%s' '%s'", self, wordHook, socket, event) }
}

// sendHook is what the CLI runs for each of its hooks: it hands the payload to the stage, and prints its answer.
func sendHook(socket, event string, payload io.Reader, reply io.Writer) error {
	conn, err := net.Dial("unix", socket) //nolint:noctx // the CLI ends it by a signal
	if err != nil {
		return fmt.Errorf("hook %s: %w", event, err)
	}
	defer conn.Close()
	if _, err := io.Copy(conn, io.MultiReader(strings.NewReader(event+"\n"), payload)); err != nil {
		return fmt.Errorf("hook %s: %w", event, err)
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		return fmt.Errorf("hook %s: %w", event, err)
	}
	_, err = io.Copy(reply, conn)
	return err
}
