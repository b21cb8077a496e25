package session

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchboard/controlplane/e2e/asker"
	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/model"
	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestMain makes the test binary serve as the hostagent program: the holder of a session, and its hooks.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "holder" {
		exit(holder.Run(context.Background(), os.Args[2]))
	}
	if len(os.Args) > 3 && os.Args[1] == "hook" {
		exit(Hook(context.Background(), os.Args[2], os.Args[3], os.Stdin, os.Stdout))
	}
	if len(os.Args) > 2 && os.Args[1] == "manager" {
		exit(runManager(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == asker.Argument {
		exit(asker.Serve(os.Stdin, os.Stdout))
	}
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(strconv.Itoa(testsAtOnce)) // a number
	}
	goleak.VerifyTestMain(m)
}

// testsAtOnce is more than there are processors: tests of the real CLI mostly wait for it.
const testsAtOnce = 6

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// patience bounds every wait in these tests. It is far above what anything takes, so that a slow machine fails
// no test.
const patience = 90 * time.Second

// rig is a host with the real Claude Code CLI, which speaks with a scripted model.
type rig struct {
	t       *testing.T
	dir     string // of the sessions
	home    string
	project string
	environ []string
	model   *model.Server
	*Manager
}

func newRig(t *testing.T) *rig {
	t.Helper()
	cli, err := claudecli.Find(os.Getenv)
	if err != nil {
		t.Skipf("needs the real CLI: %v", err)
	}
	scripted := &model.Server{}
	endpoint, err := scripted.Start(t.Context(), "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { check(t, endpoint.Close()) })

	root, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	r := &rig{
		t: t, dir: filepath.Join(root, "s"), home: filepath.Join(root, "home"), project: filepath.Join(root, "home", "project"),
		model: scripted,
	}
	check(t, os.MkdirAll(r.project, 0o700))
	self, err := os.Executable()
	check(t, err)
	home := claudecli.Home{Dir: r.home, CLI: cli, Asker: self}
	check(t, home.Seed(r.project))
	r.environ = append(home.Environment(endpoint.URL, os.Getenv("PATH")), "GORACE=atexit_sleep_ms=0")
	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	t.Cleanup(r.tearDown)
	return r
}

func (r *rig) newManager() *Manager {
	self, err := os.Executable()
	check(r.t, err)
	p := policy.Default()
	p.Roots = []string{r.home}
	return &Manager{
		Dir: r.dir, Self: self, Policy: p, Kinds: kinds(), Environ: r.environ,
		Log: slog.New(slog.NewTextHandler(r.t.Output(), nil)),
	}
}

// kinds pass GORACE on to hooks, which are this program: with the race detector each would sleep for a second before it
// ends, and the agent waits for it.
func kinds() []agentkind.Kind {
	all := agentkind.All()
	for i := range all {
		all[i].Environment = append(all[i].Environment, "GORACE")
	}
	return all
}

// tearDown ends what still runs, with a manager of its own: a test may have closed the rig's, or killed it.
func (r *rig) tearDown() {
	check(r.t, r.Manager.Close())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.Manager = r.newManager()
	check(r.t, r.Open(ctx))
	for _, s := range r.Sessions() {
		_, err := r.Terminate(ctx, protocol.TerminateSessionRequest{Act: act(), Session: s.ID, Force: true})
		if err != nil {
			r.t.Errorf("ending session %s: %v", s.ID, err)
		}
		if r.t.Failed() {
			r.dump(s.ID)
		}
	}
	if *record && slices.Contains(recorded, r.t.Name()) && !r.t.Failed() {
		r.record(r.Sessions()[0].ID)
	}
	check(r.t, r.Manager.Close())
}

func (r *rig) dump(id protocol.SessionID) {
	for _, e := range r.events(id) {
		r.t.Logf("event %d %s %s %.200s", e.Seq, e.At.Format("05.000"), e.Kind, e.Body)
	}
	entries, err := holder.ReadJournal(filepath.Join(r.dir, string(id)), 0)
	for _, e := range entries {
		r.t.Logf("journal %d %s %s %.100s", e.N, e.At.Format("05.000"), e.Kind, e.Body)
	}
	lines, err2 := r.Terminal(context.Background(), protocol.ReadTerminalRequest{Session: id, Lines: 40})
	r.t.Log("terminal:\n"+strings.Join(lines.Lines, "\n"), err, err2)
}

func act() protocol.Act {
	return protocol.Act{Command: protocol.CommandID(protocol.NewID()), Actor: "Alice", Deadline: time.Now().Add(time.Minute)}
}

// create starts a session in the project and waits until it is idle.
func (r *rig) create(mode string) protocol.SessionID {
	r.t.Helper()
	id := r.start(protocol.CreateSessionRequest{Name: "web app", WorkingDir: r.project, PermissionMode: mode})
	r.await(id, protocol.StateIdle)
	return id
}

func (r *rig) start(request protocol.CreateSessionRequest) protocol.SessionID {
	r.t.Helper()
	request.Act, request.Session = act(), protocol.NewSessionID()
	_, err := r.Create(r.t.Context(), request)
	check(r.t, err)
	return request.Session
}

func (r *rig) send(id protocol.SessionID, text string) protocol.MessageID {
	r.t.Helper()
	message := protocol.MessageID(protocol.NewID())
	_, err := r.Send(r.t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: message, Text: text})
	check(r.t, err)
	return message
}

func (r *rig) answer(p protocol.Prompt, answer protocol.Answer) error {
	_, err := r.Answer(r.t.Context(), protocol.AnswerPromptRequest{
		Act: act(), Session: p.Session, Prompt: p.ID, Digest: p.Digest, Answer: answer,
	})
	return err
}

// until waits for an event that meets the condition, among all of the session's events.
func (r *rig) until(id protocol.SessionID, what string, met func(protocol.Event) bool) protocol.Event {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		events := r.events(id)
		if at := slices.IndexFunc(events, met); at >= 0 {
			return events[at]
		}
		s, err := r.session(id)
		check(r.t, err)
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(lookEvery):
		}
	}
	r.t.Fatalf("session %s: no %s", id, what)
	return protocol.Event{}
}

func (r *rig) events(id protocol.SessionID) []protocol.Event {
	r.t.Helper()
	events, err := r.Events(id, 0, 1<<20)
	check(r.t, err)
	return events
}

// await waits until the session is told to be in this state now.
func (r *rig) await(id protocol.SessionID, want protocol.State) protocol.Session {
	r.t.Helper()
	s, err := r.session(id)
	check(r.t, err)
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	var told protocol.Session // the fold is ahead of what is on disk
	err = s.until(ctx, func(*fold) bool { told = s.visible; return told.State == want })
	if err != nil {
		r.t.Fatalf("session %s is %s, want %s", id, told.State, want)
	}
	return told
}

// prompt waits for the session's n-th prompt, from 1.
func (r *rig) prompt(id protocol.SessionID, n int) protocol.Prompt {
	r.t.Helper()
	return decode[protocol.Prompt](r, r.until(id, fmt.Sprintf("prompt %d", n), nth(n, protocol.EventPrompt)))
}

// settled waits for the prompt's settlement.
func (r *rig) settled(p protocol.Prompt) protocol.Settlement {
	r.t.Helper()
	event := r.until(p.Session, "settlement of "+string(p.ID), func(e protocol.Event) bool {
		return e.Kind == protocol.EventSettlement && decode[protocol.Settlement](r, e).Prompt == p.ID
	})
	return decode[protocol.Settlement](r, event)
}

// message waits until the message's status is final.
func (r *rig) message(id protocol.SessionID, message protocol.MessageID) protocol.MessageState {
	r.t.Helper()
	event := r.until(id, "end of message "+string(message), func(e protocol.Event) bool {
		if e.Kind != protocol.EventMessage {
			return false
		}
		state := decode[protocol.MessageState](r, e)
		return state.ID == message && state.Status.Final()
	})
	return decode[protocol.MessageState](r, event)
}

// entry waits for a transcript entry.
func (r *rig) entry(id protocol.SessionID, what string, met func(protocol.Entry) bool) protocol.Entry {
	r.t.Helper()
	return decode[protocol.Entry](r, r.until(id, "entry: "+what, func(e protocol.Event) bool {
		return e.Kind == protocol.EventEntry && met(decode[protocol.Entry](r, e))
	}))
}

// atTerminal types as a person at the session's terminal does.
func (r *rig) atTerminal(id protocol.SessionID, keys string) {
	r.t.Helper()
	client, err := holder.Dial(r.t.Context(), filepath.Join(r.dir, string(id)))
	check(r.t, err)
	defer client.Close()
	check(r.t, client.Write(r.t.Context(), []byte(keys)))
}

// answerAtTerminal presses a key in a dialog until the prompt is settled: the CLI ignores keys for about 0.8 s
// after a dialog has appeared.
func (r *rig) answerAtTerminal(p protocol.Prompt, key string) protocol.Settlement {
	r.t.Helper()
	isSettled := func() bool {
		return slices.ContainsFunc(r.events(p.Session), func(e protocol.Event) bool {
			return e.Kind == protocol.EventSettlement && decode[protocol.Settlement](r, e).Prompt == p.ID
		})
	}
	r.untilTrue("the terminal's answer", func() bool { return time.Since(p.AskedAt) > dialogAge })
	r.atTerminal(p.Session, key)
	r.untilTrue("the terminal's answer", isSettled)
	return r.settled(p)
}

func (r *rig) untilTrue(what string, met func() bool) {
	r.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(patience)
	for !met() {
		if time.Now().After(deadline) {
			r.t.Fatalf("still waiting for %s", what)
		}
		<-ticker.C
	}
}

func (r *rig) path(name string) string { return filepath.Join(r.project, name) }

// nth is the n-th event of a kind, from 1. It is to be called with all events from the first one on.
func nth(n int, kind protocol.EventKind) func(protocol.Event) bool {
	seen := 0
	return func(e protocol.Event) bool {
		if e.Seq == 1 {
			seen = 0
		}
		if e.Kind == kind {
			seen++
		}
		return seen == n && e.Kind == kind
	}
}

func decode[Body any](r *rig, e protocol.Event) Body {
	r.t.Helper()
	body, err := protocol.Decode[Body](e)
	check(r.t, err)
	return body
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
