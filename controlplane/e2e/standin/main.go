// Standin stands in for the Claude Code CLI where thousands of turns are needed and the real one is too slow. It keeps
// to what was measured of CLI 2.1.329 as far as Switchboard relies on it: the flags, the hooks from the settings file,
// the status file, the transcript, bracketed pastes, ctrl+x enter, ctrl+s, Esc, and a dialog that is answered by
// whoever is first. It has no model: a message says by its first word what the agent does with it. And it keeps a log
// of its own, in which a test reads what really arrived.
package main

import (
	"flag"
	"fmt"
	"os"

	"golang.org/x/term"

	"switchboard/controlplane/e2e/claudecli"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println(claudecli.Version)
		return
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("standin", flag.ContinueOnError)
	fresh := flags.String("session-id", "", "of a new conversation")
	resumed := flags.String("resume", "", "a conversation to go on with")
	settings := flags.String("settings", "", "file with the hooks")
	flags.String("permission-mode", "", "only ever asks")
	flags.String("name", "", "not shown")
	if err := flags.Parse(args); err != nil {
		return err
	}
	a, err := newAgent(*fresh+*resumed, *settings)
	if err != nil {
		return err
	}
	_, missing := os.Stat(a.transcript)
	switch {
	case *fresh != "" && missing == nil:
		return fmt.Errorf("session ID %s is already in use", *fresh)
	case *resumed != "" && missing != nil:
		return fmt.Errorf("no conversation found with session ID %s", *resumed)
	}
	// It stays raw to the end: what is typed then must not show, since it is none of our output.
	if _, err := term.MakeRaw(int(os.Stdin.Fd())); err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	return a.live(*resumed != "")
}
