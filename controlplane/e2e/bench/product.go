package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/embedded"
)

// product is the built programs at work: a control plane, an administrator with a connected client, a machine with
// the real Claude Code CLI on a scripted model, and some whose agents do nothing. Beside it a database for the limits.
type product struct {
	dir      string
	programs harness.Programs
	plane    *harness.ControlPlane
	browser  *harness.Browser
	token    string
	mcp      *harness.MCP
	busy     *harness.Host   // has the real CLI
	quiet    []*harness.Host // see quietAgent
	session  string          // of the real CLI
	idle     []string        // sessions on the quiet machines, neighbours on different ones

	model    *model.Endpoint
	database *embedded.Postgres // the limits'
}

// redirect is where the client's code is sent to. Nobody listens there, and nobody has to.
const redirect = "http://127.0.0.1:33418/callback"

// A host takes 32 commands at once, so that a crowd of 64 callers needs some hosts.
const (
	quietMachines = 3
	idleSessions  = 10 // on each of them
	allSessions   = 1 + idleSessions*quietMachines
)

// startProduct starts everything, or leaves nothing behind.
func startProduct(ctx context.Context, getenv func(string) string) (_ *product, err error) {
	dir, err := harness.TempDir()
	if err != nil {
		return nil, err
	}
	p := &product{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.end())
		}
	}()
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return nil, err
	}
	if p.programs, err = harness.Build(ctx, getenv, bin); err != nil {
		return nil, err
	}
	p.database, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{
		Dir: filepath.Join(dir, "limit"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	if err := p.startPlane(ctx); err != nil {
		return nil, err
	}
	if err := p.connect(ctx); err != nil {
		return nil, err
	}
	return p, p.addMachines(ctx, getenv)
}

func (p *product) startPlane(ctx context.Context) error {
	p.plane = &harness.ControlPlane{
		Programs: p.programs, Dir: filepath.Join(p.dir, "plane"),
		Env: []string{"SWITCHBOARD_RATE=0"}, // it would be the rate limit that is measured
	}
	if err := os.Mkdir(p.plane.Dir, 0o755); err != nil {
		return err
	}
	return p.plane.Start(ctx)
}

// connect makes the administrator and a client that may do everything.
func (p *product) connect(ctx context.Context) error {
	link, err := p.plane.SetupLink(ctx)
	if err != nil {
		return err
	}
	if p.browser, err = harness.NewBrowser(p.plane.URL(), "alice", rand.Text()); err != nil {
		return err
	}
	if err := p.browser.Join(ctx, link); err != nil {
		return err
	}
	oauth := &harness.OAuth{MCP: p.plane.MCP(), Browser: p.browser, Redirect: redirect}
	if err := oauth.Discover(ctx); err != nil {
		return err
	}
	oauth.AllScopes()
	if err := oauth.Register(ctx); err != nil {
		return err
	}
	code, err := oauth.Authorize(ctx)
	if err != nil {
		return err
	}
	tokens, err := oauth.Redeem(ctx, code)
	if err != nil {
		return err
	}
	p.token = tokens.Access
	p.mcp, err = harness.Dial(ctx, p.plane.MCP(), p.token, harness.Modern)
	return err
}

// addMachines enrols the two machines and starts their sessions.
func (p *product) addMachines(ctx context.Context, getenv func(string) string) error {
	cli, err := claudecli.Find(getenv)
	if err != nil {
		return err
	}
	if p.model, err = new(model.Server).Start(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	if p.busy, err = p.addMachine(ctx, "busy", cli); err != nil {
		return err
	}
	quiet := filepath.Join(p.dir, "quiet-agent")
	if err := os.WriteFile(quiet, []byte(quietAgent(p.programs.HostAgent)), 0o755); err != nil {
		return err
	}
	for number := range quietMachines {
		h, err := p.addMachine(ctx, fmt.Sprintf("quiet-%d", number+1), quiet)
		if err != nil {
			return err
		}
		p.quiet = append(p.quiet, h)
	}
	return p.startSessions(ctx)
}

func (p *product) startSessions(ctx context.Context) (err error) {
	if p.session, err = p.startSession(ctx, p.busy); err != nil {
		return err
	}
	for number := range idleSessions * quietMachines {
		id, err := p.startSession(ctx, p.quiet[number%quietMachines])
		if err != nil {
			return err
		}
		p.idle = append(p.idle, id)
	}
	return p.awaitIdle(ctx, append([]string{p.session}, p.idle...)...)
}

// quietAgent is a program in the agent's place that says it has started and then sleeps, so that all memory and all
// time that its session takes are ours.
func quietAgent(hostagent string) string {
	return `#!/bin/sh
if [ "$1" = --version ]; then echo ` + claudecli.Version + `; exit; fi
while [ "$1" != --settings ]; do shift; done
echo '{"hook_event_name":"SessionStart","session_id":"quiet"}' | ` + hostagent + ` hook "$(dirname "$2")" SessionStart
exec sleep 1000000
`
}

func (p *product) addMachine(ctx context.Context, name, cli string) (*harness.Host, error) {
	h := &harness.Host{
		Programs: p.programs, Name: name, Model: p.model.URL,
		Home: claudecli.Home{Dir: filepath.Join(p.dir, name), CLI: cli},
	}
	if err := h.Prepare(ctx); err != nil {
		return nil, err
	}
	token, err := p.browser.JoinToken(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := h.Enrol(ctx, p.plane.URL(), token); err != nil {
		return nil, err
	}
	if err := h.Start(); err != nil {
		return nil, err
	}
	return h, p.awaitHost(ctx, name)
}

func (p *product) startSession(ctx context.Context, h *harness.Host) (string, error) {
	var answer struct {
		Session struct {
			ID string `json:"session_id"`
		} `json:"session"`
	}
	arguments := map[string]any{"host": h.Name, "working_dir": h.Project()}
	err := p.mcp.Call(ctx, "create_session", arguments, &answer)
	return answer.Session.ID, err
}

func (p *product) awaitIdle(ctx context.Context, sessions ...string) error {
	for _, id := range sessions {
		arguments := map[string]any{"session_id": id, "until": "idle"}
		var answer struct {
			Reached bool `json:"reached"`
		}
		if err := p.mcp.Call(ctx, "wait_for_session", arguments, &answer); err != nil {
			return err
		}
		if !answer.Reached {
			return fmt.Errorf("session %s does not become idle", id)
		}
	}
	return nil
}

// awaitHosts waits until all machines are connected.
func (p *product) awaitHosts(ctx context.Context) error {
	for _, h := range p.machines() {
		if err := p.awaitHost(ctx, h.Name); err != nil {
			return err
		}
	}
	return nil
}

func (p *product) machines() []*harness.Host {
	machines := p.quiet
	if p.busy != nil {
		machines = append([]*harness.Host{p.busy}, machines...)
	}
	return machines
}

func (p *product) awaitHost(ctx context.Context, name string) error {
	return harness.Await(ctx, "host "+name, func(ctx context.Context) (bool, error) {
		var list struct {
			Hosts []struct {
				Name   string `json:"host"`
				Online bool   `json:"online"`
			} `json:"hosts"`
		}
		err := p.mcp.Call(ctx, "list_hosts", nil, &list)
		for _, h := range list.Hosts {
			if h.Name == name && h.Online {
				return true, nil
			}
		}
		return false, err
	})
}

// end stops everything, also after an interrupt, and removes what it wrote.
func (p *product) end() (err error) {
	if p.mcp != nil {
		err = errors.Join(err, p.mcp.Close())
	}
	for _, h := range p.machines() {
		if h.Process() != nil {
			err = errors.Join(err, h.Stop())
		}
	}
	if p.plane != nil && p.plane.Process() != nil {
		err = errors.Join(err, p.plane.Stop())
	}
	if p.database != nil {
		p.database.Stop()
	}
	err = errors.Join(err, harness.EndAll(p.dir))
	if p.model != nil {
		err = errors.Join(err, p.model.Close())
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}
