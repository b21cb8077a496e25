package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"switchboard/hostagent/protocol"
)

// loginCommand is `hostagent login`.
type loginCommand struct {
	URL     string `arg:"" help:"The control plane's address, such as https://switchboard.example.com."`
	Name    string `help:"What to call this machine. Left out: its hostname. Whoever allows it can change that."`
	Replace bool   `help:"Become a new host, although this machine is one already. Its sessions are kept."`
}

// Run makes this machine a host of whoever types its code on the control plane's page.
func (c *loginCommand) Run(env environment) error {
	address, err := checkURL(c.URL)
	if err != nil {
		return err
	}
	lock, before, err := env.dir.reserve(c.Replace)
	if err != nil {
		return err
	}
	defer lock.Close()
	flow, err := discover(env.ctx, address)
	if err != nil {
		return givenUp(env.ctx, err)
	}
	defer flow.client.CloseIdleConnections()
	asked, err := flow.ask(env.ctx, cmp.Or(c.Name, machineName()), userName(env.getenv))
	if err != nil {
		return givenUp(env.ctx, err)
	}
	fmt.Fprintf(env.stdout, "Open this in a browser, on any device. The machine becomes a host of whoever allows it there:\n\n    %s\n\n"+
		"Check that the page shows the code %s, and allow it.\nWaiting until %s; Ctrl-C gives up.\n\n",
		asked.page(), asked.UserCode, asked.ends.Format("15:04"))
	token, err := flow.wait(env.ctx, asked)
	if err != nil {
		return givenUp(env.ctx, err)
	}
	err = join(env, address, token, before, enrolPatiently)
	var refused *protocol.Refusal
	if errors.As(err, &refused) && refused.Code == protocol.ReasonKey {
		// The key is left from an enrolment whose answer got lost; its host is there already, and cannot be found by
		// another token.
		return errors.Join(fmt.Errorf("%w; run `hostagent login` again, it makes a new key", err), os.Remove(env.dir.pendingKey()))
	}
	return err
}

// givenUp says what Ctrl-C means.
func givenUp(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("given up; nothing has changed on this machine")
	}
	return err
}

// How often and after what time an enrolment is tried again that may have got lost: the token is good for this
// key until it has an answer.
const (
	enrolTries = 4
	enrolPause = 2 * time.Second
)

// enrolPatiently is enrol for a token that cannot be typed in again.
func enrolPatiently(ctx context.Context, address string, r protocol.EnrolRequest) (reply protocol.EnrolReply, err error) {
	for try := range enrolTries {
		if try > 0 && pause(ctx, enrolPause) != nil {
			return reply, err
		}
		reply, err = enrol(ctx, address, r)
		var refused *protocol.Refusal
		if err == nil || errors.As(err, &refused) && refused.Code != protocol.ReasonUnavailable {
			return reply, err
		}
	}
	return reply, err
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

const maxMachineName = 40 // characters that a control plane admits in a host's name

// machineName is the hostname without its domain, in the characters that a host's name may have.
func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	name, _, _ = strings.Cut(name, ".")
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, name)
	return strings.Trim(name[:min(len(name), maxMachineName)], "-_")
}

// userName is as whom agents will run.
func userName(getenv func(string) string) string {
	name := getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return name[:min(len(name), protocol.MaxLoginHostIs)]
}
