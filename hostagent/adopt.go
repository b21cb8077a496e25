package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
	"switchboard/hostagent/terminal"
)

// adoptCommand is `hostagent adopt`.
type adoptCommand struct {
	Conversation string `arg:"" optional:"" help:"The conversation's id, the start of it, or the name that its process shows."`
	Name         string `placeholder:"NAME" help:"What the session is called; by default as its directory."`
	Mode         string `name:"permission-mode" placeholder:"MODE" help:"The permission mode to go on in; by default the one that the conversation was in."`
	TakeOver     bool   `help:"End the idle process that has the conversation open, without asking."`
	Detach       bool   `short:"d" help:"Do not attach this terminal to the session."`
}

// Run lists conversations, or has the host agent take one over.
func (c *adoptCommand) Run(env environment) error {
	reply, err := env.dir.ask(env.ctx, localRequest{})
	if err != nil {
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		here = ""
	}
	all := hereFirst(reply.Adoptable, here)
	if c.Conversation == "" {
		return listAdoptable(env, all, reply.Elsewhere)
	}
	chosen, err := chooseAdoptable(all, c.Conversation)
	if err != nil {
		return err
	}
	adoption := session.Adoption{Agent: chosen.Agent, Conversation: chosen.Conversation, Name: c.Name, Mode: c.Mode}
	if chosen.PID != 0 {
		consents, err := c.consents(env, chosen)
		if err != nil {
			return err
		}
		if consents {
			adoption.TakeOver = chosen.PID
		}
	}
	adopted, err := env.dir.ask(env.ctx, localRequest{Adopt: &adoption})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "The conversation is session %s (%s) from now on; `hostagent attach %s` gives you its terminal.\n",
		terminal.Sanitize(adopted.Session.Name), adopted.Session.ID, adopted.Session.ID)
	in, out, isTerminal := terminalOf(env)
	if c.Detach || !isTerminal {
		return nil
	}
	return holder.AttachHere(env.ctx, filepath.Join(env.dir.sessions(), string(adopted.Session.ID)), in, out)
}

// consents asks the person, where there is one, whether the process that has the conversation may be ended. The host
// agent looks for itself whether it is idle.
func (c *adoptCommand) consents(env environment, a session.Adoptable) (bool, error) {
	if c.TakeOver {
		return true, nil
	}
	in, _, isTerminal := terminalOf(env)
	if !isTerminal {
		return false, nil
	}
	fmt.Fprintf(env.stdout, "Process %d has this conversation open in %s (%s). It would be ended there, and go on here;\n"+
		"what is typed there and not sent, and what runs there in the background, would be lost. End it? [y/N] ",
		a.PID, terminal.Sanitize(a.Dir), terminal.Sanitize(a.Activity))
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, errors.New("nothing was taken over")
}

// terminalOf is the person's own terminal, if this command has one.
func terminalOf(env environment) (in, out *os.File, isTerminal bool) {
	in, inFile := env.stdin.(*os.File)
	out, outFile := env.stdout.(*os.File)
	return in, out, inFile && outFile && term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

// hereFirst puts the conversations of the current directory before the others.
func hereFirst(all []session.Adoptable, here string) []session.Adoptable {
	elsewhere := func(a session.Adoptable) int {
		if a.Dir == here {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b session.Adoptable) int { return cmp.Compare(elsewhere(a), elsewhere(b)) })
	return all
}

// maxWords is how much of a conversation's first words a line shows, in characters.
const maxWords = 48

func listAdoptable(env environment, all []session.Adoptable, elsewhere int) error {
	if len(all) == 0 {
		fmt.Fprint(env.stdout, "There is no conversation here that could be adopted.\n")
		return moreElsewhere(env, elsewhere)
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CONVERSATION\tAGE\tOPEN IN\tMODE\tDIRECTORY\tBEGINS")
	for _, a := range all[:min(len(all), mostNames)] {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Conversation, age(time.Since(a.At)), openIn(a), cmp.Or(a.Mode, "-"),
			terminal.Sanitize(a.Dir), firstWords(a.Words))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more := len(all) - mostNames; more > 0 {
		fmt.Fprintf(env.stdout, "and %d older ones\n", more)
	}
	return moreElsewhere(env, elsewhere)
}

func moreElsewhere(env environment, n int) error {
	if n == 0 {
		return nil
	}
	_, err := fmt.Fprintf(env.stdout, "%d more are in directories that do not exist or that this host's policy does not allow (hostagent policy show).\n", n)
	return err
}

func openIn(a session.Adoptable) string {
	if a.PID == 0 {
		return "-"
	}
	return fmt.Sprintf("%d (%s)", a.PID, cmp.Or(terminal.Sanitize(a.Activity), "starting"))
}

func firstWords(words string) string {
	runes := []rune(terminal.Sanitize(words))
	if len(runes) <= maxWords {
		return string(runes)
	}
	return string(runes[:maxWords-1]) + "…"
}

// chooseAdoptable finds the one conversation that a person means.
func chooseAdoptable(all []session.Adoptable, ref string) (session.Adoptable, error) {
	for _, means := range []func(session.Adoptable) bool{
		func(a session.Adoptable) bool { return strings.EqualFold(a.Conversation, ref) },
		func(a session.Adoptable) bool { return a.Name != "" && strings.EqualFold(a.Name, ref) },
		func(a session.Adoptable) bool { return strings.HasPrefix(a.Conversation, strings.ToLower(ref)) },
	} {
		var meant []session.Adoptable
		for _, a := range all {
			if means(a) {
				meant = append(meant, a)
			}
		}
		switch len(meant) {
		case 0:
		case 1:
			return meant[0], nil
		default:
			return session.Adoptable{}, fmt.Errorf("%q may be %d conversations: say more of the id (hostagent adopt lists them)", ref, len(meant))
		}
	}
	if _, err := protocol.ParseSessionID(ref); err == nil {
		return session.Adoptable{Conversation: ref}, nil // the host agent says why not
	}
	return session.Adoptable{}, fmt.Errorf("there is no conversation %q here that could be adopted (hostagent adopt lists those that there are)", ref)
}
