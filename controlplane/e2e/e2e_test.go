// Package e2e drives both programs as their users do: real MCP clients with OAuth, the web pages, enrolled hosts with
// homes of their own, real NATS, real PostgreSQL and the real Claude Code CLI on a scripted model.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/e2e/stage"
)

// built holds the programs, which all tests share; the first that needs them builds them.
var built struct {
	once     sync.Once
	dir      string
	programs harness.Programs
	err      error
}

// TestMain makes the test binary serve as the MCP server that an agent uses.
func TestMain(m *testing.M) {
	stage.ServeOr(func() int {
		defer removeBuilt()
		return m.Run()
	})
}

func removeBuilt() {
	if built.dir == "" {
		return
	}
	if err := os.RemoveAll(built.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func programs(t *testing.T) harness.Programs {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = harness.TempDir(); built.err == nil {
			built.programs, built.err = harness.Build(context.WithoutCancel(t.Context()), os.Getenv, built.dir)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.programs
}

// world is a control plane, the machines that are its hosts, and a person who is its administrator.
type world struct {
	dir      string
	programs harness.Programs
	scripts  *model.Server
	model    *model.Endpoint
	plane    *harness.ControlPlane
	admin    person
	hosts    map[string]*harness.Host
}

// person is somebody with a browser and a connected client.
type person struct {
	name    string
	browser *harness.Browser
	oauth   *harness.OAuth
	tokens  harness.Tokens
	*harness.MCP
}

// redirect is where the scripted client's codes are sent to. Nobody listens there, and nobody has to.
const redirect = "http://127.0.0.1:33418/callback"

// password is everybody's, and must never be seen in a log.
const password = "canary password nobody prints"

// newWorld starts a control plane and makes its first administrator.
func newWorld(t *testing.T) *world { return startWorld(t, "serve") }

// startWorld does so with `serve`, or with `up`, which makes a machine called here a host too. The control plane gets env
// beside its own environment.
func startWorld(t *testing.T, command string, env ...string) *world {
	t.Helper()
	dir, err := harness.TempDir()
	must(t, err)
	w := &world{dir: dir, programs: programs(t), scripts: new(model.Server), hosts: map[string]*harness.Host{}}
	t.Cleanup(func() { w.end(t) })
	w.model, err = w.scripts.Start(t.Context(), "127.0.0.1:0")
	must(t, err)
	w.plane = &harness.ControlPlane{Programs: w.programs, Dir: filepath.Join(dir, "plane"), Up: command == "up", Env: env}
	must(t, os.Mkdir(w.plane.Dir, 0o755))
	if w.plane.Up {
		h := w.machine(t, "here")
		must(t, h.Prepare(t.Context()))
		w.plane.Env = append(h.Environment(), env...)
	}
	must(t, w.plane.Start(t.Context()))
	link, err := w.plane.SetupLink(t.Context())
	must(t, err)
	w.admin = w.join(t, "alice", link)
	return w
}

// join makes an account through a one-time link and connects a client for it, with all scopes.
func (w *world) join(t *testing.T, name, link string) person {
	t.Helper()
	p := person{name: name}
	var err error
	p.browser, err = harness.NewBrowser(w.plane.URL(), name, password)
	must(t, err)
	must(t, p.browser.Join(t.Context(), link))
	p.oauth = &harness.OAuth{MCP: w.plane.MCP(), Browser: p.browser, Redirect: redirect}
	must(t, p.oauth.Discover(t.Context()))
	p.oauth.AllScopes()
	must(t, p.oauth.Register(t.Context()))
	code, err := p.oauth.Authorize(t.Context())
	must(t, err)
	p.tokens, err = p.oauth.Redeem(t.Context(), code)
	must(t, err)
	p.MCP, err = harness.Dial(t.Context(), w.plane.MCP(), p.tokens.Access, harness.Modern)
	must(t, err)
	return p
}

// invite adds a member.
func (w *world) invite(t *testing.T, name string) person {
	t.Helper()
	link, err := w.admin.browser.Invite(t.Context())
	must(t, err)
	return w.join(t, name, link)
}

// addHost enrols a machine of this name for a person and waits until it is connected.
func (w *world) addHost(t *testing.T, owner person, name string) *harness.Host {
	t.Helper()
	h := w.machine(t, name)
	w.addMachine(t, owner, h)
	return h
}

func (w *world) addMachine(t *testing.T, owner person, h *harness.Host) {
	t.Helper()
	must(t, h.Prepare(t.Context()))
	token, err := owner.browser.JoinToken(t.Context(), h.Name)
	must(t, err)
	must(t, h.Enrol(t.Context(), w.plane.URL(), token))
	must(t, h.Start())
	awaitHost(t, owner, h.Name, true)
}

// machine is a machine with a home of its own, which is no host yet.
func (w *world) machine(t *testing.T, name string) *harness.Host {
	t.Helper()
	cli, err := claudecli.Find(os.Getenv)
	if errors.Is(err, claudecli.ErrMissing) {
		t.Skip(err)
	}
	must(t, err)
	h := &harness.Host{
		Programs: w.programs, Name: name, Model: w.model.URL,
		Home: claudecli.Home{Dir: filepath.Join(w.dir, name), CLI: cli},
	}
	w.hosts[name] = h
	return h
}

// end stops everything. What a failed test needs to be understood is in what the programs wrote.
func (w *world) end(t *testing.T) {
	if t.Failed() && w.plane != nil {
		t.Logf("the control plane wrote:\n%s", w.plane.Output())
		for _, h := range w.hosts {
			t.Logf("the host agent of %s wrote:\n%s", h.Name, h.Output())
		}
	}
	for _, h := range w.hosts {
		if h.Process().Running() {
			expect(t, h.Stop())
		}
	}
	if w.plane != nil && w.plane.Process().Running() {
		expect(t, w.plane.Stop())
	}
	expect(t, harness.EndAll(w.dir))
	if w.model != nil {
		expect(t, w.model.Close())
	}
	expect(t, os.RemoveAll(w.dir))
}

// must ends a test whose preparation did not work.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// expect fails a test and lets it go on.
func expect(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
