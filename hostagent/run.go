package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/link"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
)

// runCommand is `hostagent run`.
type runCommand struct {
	URL              string `name:"url" placeholder:"URL" help:"The control plane's address, if it has moved since this host was enrolled. It is remembered."`
	UntilStdinCloses bool   `hidden:"" help:"Stop when standard input ends: whoever started this is gone."`
	Supervised       bool   `hidden:"" help:"End without an error after a removal, so that launchd does not start this again."`
}

// Run connects this host until Ctrl-C. Sessions live on.
func (c *runCommand) Run(env environment) (err error) {
	config, err := env.dir.load()
	if err != nil {
		return err
	}
	lock, err := env.dir.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	if config, err = c.moved(env, config); err != nil {
		return err
	}
	if _, err := os.Stat(env.dir.removed()); err == nil {
		return c.removed(env, config)
	}
	manager, err := openSessions(env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, manager.Close()) }()
	l, err := newLink(env, config)
	if err != nil {
		return err
	}
	defer l.Key.Wipe()
	l.Source, l.Recordings, l.Offers = manager, manager, manager.Offers()
	handle(l, manager)
	defer beside(env.ctx, manager.Prune)()
	defer beside(env.ctx, func(ctx context.Context) { policy.Follow(ctx, env.dir.policy(), manager.SetPolicy, env.log) })()
	defer beside(env.ctx, manager.AfterRestart)()
	stop, err := listenLocally(env, manager)
	if err != nil {
		return err
	}
	defer stop()
	ctx := env.ctx
	if c.UntilStdinCloses {
		ctx = untilEnd(ctx, env.stdin)
	}
	fmt.Fprintf(env.stdout, "Host %s of %s. Ctrl-C stops the host agent; sessions live on.\n", config.Name, config.URL)
	if err := l.Run(ctx); errors.Is(err, link.ErrRemoved) {
		return errors.Join(os.WriteFile(env.dir.removed(), nil, 0o600), c.removed(env, config))
	}
	return nil
}

// moved remembers another address of the same control plane: the host's proof names that by its key, so that no
// other one can make use of it.
func (c *runCommand) moved(env environment, config hostConfig) (hostConfig, error) {
	if c.URL == "" {
		return config, nil
	}
	address, err := checkURL(c.URL)
	if err != nil || address == config.URL {
		return config, err
	}
	config.URL = address
	return config, env.dir.save(config)
}

// removed says so, and what to do; the host agent does not try again by itself.
func (c *runCommand) removed(env environment, config hostConfig) error {
	err := fmt.Errorf("%w; to make it one again, run `hostagent login --replace %s`",
		link.ErrRemoved, config.URL)
	if !c.Supervised {
		return err
	}
	_, err = fmt.Fprintln(env.stderr, "hostagent:", err)
	return err
}

func openSessions(env environment) (*session.Manager, error) {
	rules, err := policy.Load(env.dir.policy())
	if err != nil {
		return nil, err
	}
	self, err := linkProgram(env.dir)
	if err != nil {
		return nil, err
	}
	manager := &session.Manager{Dir: env.dir.sessions(), Self: self, Policy: rules, Kinds: agentkind.All(), Log: env.log}
	return manager, manager.Open(env.ctx)
}

func newLink(env environment, config hostConfig) (*link.Link, error) {
	key, err := loadKey(env.dir.key(config.NKey))
	if err != nil {
		return nil, err
	}
	return &link.Link{URL: config.URL, Host: config.Host, Audience: config.Audience, Key: key, Agent: version, Log: env.log}, nil
}

// handle has one line for each command that a control plane can send.
func handle(l *link.Link, m *session.Manager) {
	link.Handle(l, protocol.CreateSession, m.Create)
	link.Handle(l, protocol.ResumeSession, m.Resume)
	link.Handle(l, protocol.TerminateSession, m.Terminate)
	link.Handle(l, protocol.InterruptSession, m.Interrupt)
	link.Handle(l, protocol.SendMessage, m.Send)
	link.Handle(l, protocol.SendMessageIfIdle, m.SendIfIdle)
	link.Handle(l, protocol.AnswerPrompt, m.Answer)
	link.Handle(l, protocol.WithdrawCommand, m.Withdraw)
	link.Handle(l, protocol.WithdrawSession, m.WithdrawSession)
	link.Handle(l, protocol.ReadScreen, m.Screen)
	link.Handle(l, protocol.ReadTerminal, m.Terminal)
	link.Handle(l, protocol.ReadChanges, m.ReadChanges)
	link.Handle(l, protocol.ReadRecording, m.ReadRecording)
}

// beside runs something until stop is called, which waits for its end.
func beside(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { run(ctx) })
	return func() {
		cancel()
		group.Wait()
	}
}

// untilEnd ends with ctx or when r does. The goroutine ends with r, that is, at the latest with the process.
func untilEnd(ctx context.Context, r io.Reader) context.Context {
	ctx, end := context.WithCancel(ctx)
	go func() {
		defer end()
		_, _ = io.Copy(io.Discard, r) // an error is an end too
	}()
	return ctx
}
