package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/embedded"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/postgres"
	"switchboard/hostagent/protocol"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a control plane's inside with a real Postgres and a real NATS.
type world struct {
	*fleet.Fleet
	t      *testing.T
	db     *postgres.DB
	nats   *embedded.NATS
	log    *slog.Logger
	sql    *pgx.Conn // for what only an account's page or an attacker could do
	cut    func()    // takes Postgres away
	people int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	others := goleak.IgnoreCurrent() // the test binary's own server
	t.Cleanup(func() { goleak.VerifyNone(t, others) })
	address := pgtest.New(t)
	through, cut := proxy(t, address)
	w := &world{t: t, cut: cut, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	w.sql = must(pgx.Connect(t.Context(), address))(t)
	t.Cleanup(func() { _ = w.sql.Close(context.Background()) })
	w.db = must(postgres.Open(t.Context(), through))(t)
	t.Cleanup(w.db.Close)
	w.nats = startNATS(t, w.log)
	conn := w.connect()
	w.Fleet = &fleet.Fleet{
		Store: w.db, Audit: w.db.Append, Hosts: dispatch.Hosts{Conn: conn}, Changes: dispatch.Changes{Conn: conn},
		PublicURL: "https://switchboard.example", Log: w.log, Now: time.Now,
		Recordings: fleet.Recordings{HostBytes: 1 << 20, Keep: time.Hour},
	}
	listen(w, conn, protocol.Hello, w.RecordHello)
	listen(w, conn, protocol.Heartbeat, w.RecordHeartbeat)
	listen(w, conn, protocol.Leaving, w.RecordLeaving)
	listen(w, conn, protocol.AdoptSession, w.RecordAdoption)
	listen(w, conn, protocol.Events, w.RecordEvents)
	listen(w, conn, protocol.StoreSegment, w.RecordSegment)
	return w
}

func listen[Request, Reply any](w *world, conn *nats.Conn, report protocol.Report[Request, Reply],
	handle func(context.Context, protocol.HostID, Request) (Reply, error),
) {
	w.t.Helper()
	stop := must(dispatch.On(w.t.Context(), conn, w.log, report, handle))(w.t)
	w.t.Cleanup(stop)
}

// must is for what a test cannot go on without.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func startNATS(t *testing.T, log *slog.Logger) *embedded.NATS {
	t.Helper()
	keys := embedded.Keys{
		User: must(nkeys.CreateUser())(t), Issuer: must(nkeys.CreateAccount())(t), Seal: must(nkeys.CreateCurveKeys())(t),
	}
	server := must(embedded.StartNATS(t.Context(), embedded.NATSConfig{Dir: t.TempDir(), Keys: keys, Log: log}))(t)
	t.Cleanup(server.Stop)
	return server
}

func (w *world) connect() *nats.Conn {
	w.t.Helper()
	conn := must(w.nats.Connect("test", w.log))(w.t)
	w.t.Cleanup(conn.Close)
	return conn
}

// proxy stands before the server's socket, so that a test can take the server away.
func proxy(t *testing.T, address string) (through string, cut func()) {
	t.Helper()
	u := must(url.Parse(address))(t)
	query := u.Query()
	port := query.Get("port")
	if port == "" {
		port = "5432"
	}
	behind := filepath.Join(query.Get("host"), ".s.PGSQL."+port)
	dir := must(os.MkdirTemp("/tmp", "pgproxy"))(t) // short enough for a socket
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener := must(new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, ".s.PGSQL."+port)))(t)
	ctx, stop := context.WithCancel(t.Context())
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			carrying.Go(func() { carry(ctx, conn, behind) })
		}
	})
	cut = sync.OnceFunc(func() {
		_ = listener.Close()
		stop()
		carrying.Wait()
	})
	t.Cleanup(cut)
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	return u.String(), cut
}

func carry(ctx context.Context, front net.Conn, address string) {
	defer front.Close()
	back, err := new(net.Dialer).DialContext(ctx, "unix", address)
	if err != nil {
		return
	}
	defer back.Close()
	defer context.AfterFunc(ctx, func() { _ = front.Close(); _ = back.Close() })()
	var group sync.WaitGroup
	group.Go(func() { _, _ = io.Copy(back, front); _ = back.Close() })
	_, _ = io.Copy(front, back)
	_ = front.Close()
	group.Wait()
}

// person makes an account, and returns it as a caller with all scopes, as the web pages have.
func (w *world) person(name string, role auth.Role) auth.Caller {
	w.t.Helper()
	id := "u-" + name
	_, err := w.sql.Exec(w.t.Context(), `
		INSERT INTO users (id, name, display_name, role, password_hash, created_at)
		VALUES ($1, $2, $2, $3, '', now() + $4 * interval '1 second')`, id, name, role, w.people)
	if err != nil {
		w.t.Fatal(err)
	}
	w.people++
	return auth.Caller{
		User: auth.UserID(id), UserName: name, Role: role, ClientID: "web", Client: "the web pages",
		Scopes: append(auth.AllScopes(), auth.ScopeManage), Addr: "192.0.2.1",
	}
}

// audited returns how many records there are of an action, allowed and refused.
func (w *world) audited(action string) (allowed, refused int) {
	w.t.Helper()
	err := w.sql.QueryRow(w.t.Context(), `
		SELECT count(*) FILTER (WHERE allowed), count(*) FILTER (WHERE NOT allowed) FROM audit_events WHERE action = $1`,
		action).Scan(&allowed, &refused)
	if err != nil {
		w.t.Fatal(err)
	}
	return allowed, refused
}

// host is a scripted host: the other end of the contract, without an agent.
type host struct {
	fleet.Host
	w    *world
	conn *nats.Conn

	mu       sync.Mutex // guards what follows
	commands map[string]int
	refuse   *protocol.Error             // what it says to every command, if set
	garbled  bool                        // its answers cannot be read
	took     map[protocol.CommandID]bool // what it has acted on
	started  map[protocol.SessionID]bool
	queues   bool                           // its agent works, and takes no message yet
	changed  []string                       // what it says that it changed in each message
	fate     *protocol.WithdrawCommandReply // what it says to who takes something back, if set
	seq      map[protocol.SessionID]uint64
	segments []protocol.Segment // of each session's recording
}

// newHost enrols a machine for its owner and connects it.
func (w *world) newHost(owner auth.Caller, name string) *host {
	w.t.Helper()
	token := must(w.CreateJoinToken(w.t.Context(), owner, name))(w.t)
	h := &host{w: w, commands: map[string]int{}, took: map[protocol.CommandID]bool{}, started: map[protocol.SessionID]bool{}, seq: map[protocol.SessionID]uint64{}}
	h.Host = must(w.Enrol(w.t.Context(), fleet.Enrolment{Token: token.Token, NKey: newKey(w.t)}, "192.0.2.2"))(w.t)
	h.online()
	h.hello()
	return h
}

func newKey(t *testing.T) string {
	t.Helper()
	return must(must(nkeys.CreateUser())(t).PublicKey())(t)
}

func (h *host) online() {
	h.w.t.Helper()
	h.conn = h.w.connect()
	must(h.conn.Subscribe(protocol.AllCommands(h.ID), h.answer))(h.w.t)
	if err := h.conn.Flush(); err != nil {
		h.w.t.Fatal(err)
	}
}

func (h *host) offline() {
	h.w.t.Helper()
	h.conn.Close()
	if err := h.w.RecordAway(h.w.t.Context(), h.ID); err != nil {
		h.w.t.Fatal(err)
	}
}

func (h *host) hello(sessions ...protocol.Session) protocol.HelloReply {
	h.w.t.Helper()
	return must(report(h, protocol.Hello, protocol.HelloRequest{
		Version: protocol.Version, Agent: "1.0.0", Hostname: "mac", OS: "darwin", Arch: "arm64", Roots: []string{"/home"},
		Sessions: sessions,
	}))(h.w.t)
}

// report tells the control plane something, over NATS.
func report[Request, Reply any](h *host, r protocol.Report[Request, Reply], request Request) (Reply, error) {
	var reply Reply
	body, err := json.Marshal(request)
	if err != nil {
		return reply, err
	}
	inbox := protocol.InboxPrefix(h.ID) + "." + protocol.NewID() // nowhere else is an answer sent
	answers, err := h.conn.SubscribeSync(inbox)
	if err != nil {
		return reply, err
	}
	defer func() { _ = answers.Unsubscribe() }() // a closed connection has no subscriptions left
	if err := h.conn.PublishRequest(protocol.EventSubject(h.ID, r.Name), inbox, body); err != nil {
		return reply, err
	}
	message, err := answers.NextMsg(10 * time.Second)
	if err != nil {
		return reply, err
	}
	if message.Header.Get(protocol.ErrorHeader) != "" {
		var refused protocol.Error
		if err := json.Unmarshal(message.Data, &refused); err != nil {
			return reply, err
		}
		return reply, &refused
	}
	return reply, json.Unmarshal(message.Data, &reply)
}

// say reports the next event of a session.
func (h *host) say(session protocol.SessionID, kind protocol.EventKind, body any) {
	h.w.t.Helper()
	h.sayAt(session, time.Now().Format(time.RFC3339Nano), kind, body)
}

// sayAt says it with a time of the host's own.
func (h *host) sayAt(session protocol.SessionID, at string, kind protocol.EventKind, body any) {
	h.w.t.Helper()
	h.mu.Lock()
	h.seq[session]++
	seq := h.seq[session]
	h.mu.Unlock()
	e := protocol.NewEvent(time.Now(), kind, body)
	e.Seq = seq
	if err := e.At.UnmarshalText([]byte(at)); err != nil {
		h.w.t.Fatal(err)
	}
	reply := must(report(h, protocol.Events, protocol.EventsRequest{Session: session, Events: []protocol.Event{e}}))(h.w.t)
	if reply.LastSeq != seq {
		h.w.t.Fatalf("event %d is answered with last seq %d", seq, reply.LastSeq)
	}
}

// asks has a session wait on a permission prompt.
func (h *host) asks(session protocol.SessionID) protocol.Prompt {
	h.w.t.Helper()
	p := protocol.Prompt{
		ID: protocol.PromptID(protocol.NewID()), Session: session, Kind: protocol.PromptPermission, Tool: "Bash",
		Title: "Bash wants to run make test", Detail: "make test", AllowsText: true,
		Options: []protocol.Option{{ID: "allow", Label: "Yes"}, {ID: "allow_always", Label: "Yes, always"}, {ID: "deny", Label: "No"}},
		AskedAt: time.Now().UTC(),
	}
	p.Digest = p.Sum()
	h.say(session, protocol.EventPrompt, p)
	return p
}

func (h *host) is(session protocol.SessionID, state protocol.State) {
	h.w.t.Helper()
	h.say(session, protocol.EventSession, protocol.Session{ID: session, State: state, Evidence: "test", StateAt: time.Now()})
}

func (h *host) said(session protocol.SessionID, text string) {
	h.w.t.Helper()
	h.say(session, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: text})
}

// queued keeps a message to a session of which its host has not heard yet, if there is that session.
func (w *world) queued(ref string) protocol.MessageID {
	w.t.Helper()
	id := protocol.NewID()
	_, err := w.sql.Exec(w.t.Context(), `
		INSERT INTO messages (id, session_id, author_id, client_id, body, status, detail)
		SELECT $1, s.id, s.created_by, 'web', 'hello', 'queued', 'on its way to the host' FROM sessions s WHERE s.handle = $2`, id, strings.ToValidUTF8(strings.ReplaceAll(ref, "\x00", ""), ""))
	if err != nil {
		w.t.Fatal(err)
	}
	return protocol.MessageID(id)
}

// count is how many commands of a name have come.
func (h *host) count(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.commands[name]
}

func (h *host) setRefuse(refused *protocol.Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = refused
}

func (h *host) setGarbled(garbled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.garbled = garbled
}

func (h *host) setQueues(queues bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queues = queues
}

// answer is what a host agent does, as far as its peer can tell.
func (h *host) answer(message *nats.Msg) {
	_, name, err := protocol.ParseSubject(message.Subject)
	if err != nil {
		h.w.t.Error(err)
		return
	}
	h.mu.Lock()
	h.commands[name]++
	refused, garbled := h.refuse, h.garbled
	var act protocol.Act
	if json.Unmarshal(message.Data, &act) == nil && refused == nil && name != protocol.WithdrawCommand.Name {
		h.took[act.Command] = true
	}
	var create protocol.CreateSessionRequest
	if name == protocol.CreateSession.Name && refused == nil && json.Unmarshal(message.Data, &create) == nil {
		h.started[create.Session] = true
	}
	h.mu.Unlock()
	if garbled {
		_ = message.Respond([]byte("<html>"))
		return
	}
	reply := nats.NewMsg(message.Reply)
	if refused != nil {
		reply.Header.Set(protocol.ErrorHeader, "1")
		reply.Data, _ = json.Marshal(refused)
		_ = message.RespondMsg(reply)
		return
	}
	body, err := h.reply(name, message.Data)
	if err != nil {
		h.w.t.Error(err)
		return
	}
	reply.Data, _ = json.Marshal(body)
	_ = message.RespondMsg(reply)
}

func (h *host) reply(name string, request []byte) (any, error) {
	var r struct {
		Session protocol.SessionID `json:"session_id"`
		Message protocol.MessageID `json:"message_id"`
		Command protocol.CommandID `json:"command_id"`
		Name    string             `json:"name"`
		Path    string             `json:"working_dir"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	session := protocol.Session{
		ID: r.Session, Name: r.Name, Agent: "claude", WorkingDir: "/home/web-app", PermissionMode: "manual",
		State: protocol.StateStarting, Evidence: "started", StateAt: time.Now(), LastSeq: h.seq[r.Session],
	}
	switch name {
	case protocol.TerminateSession.Name:
		session.State = protocol.StateExited
		return protocol.SessionReply{Session: session}, nil
	case protocol.CreateSession.Name, protocol.InterruptSession.Name, protocol.ResumeSession.Name:
		return protocol.SessionReply{Session: session}, nil
	case protocol.SendMessage.Name:
		if h.queues {
			return protocol.SendMessageReply{Message: protocol.MessageState{
				ID: r.Message, Status: protocol.MessageQueued, Detail: "the agent works",
			}, Changed: h.changed}, nil
		}
		return protocol.SendMessageReply{Message: protocol.MessageState{ID: r.Message, Status: protocol.MessageDelivered}, Changed: h.changed}, nil
	case protocol.SendMessageIfIdle.Name:
		return protocol.SendMessageReply{Message: protocol.MessageState{ID: r.Message, Status: protocol.MessageQueued}}, nil
	case protocol.AnswerPrompt.Name:
		return protocol.AnswerPromptReply{Status: protocol.PromptAnswering}, nil
	case protocol.WithdrawCommand.Name:
		if h.fate != nil {
			return *h.fate, nil
		}
		if !h.took[r.Command] {
			return protocol.WithdrawCommandReply{}, nil
		}
		return protocol.WithdrawCommandReply{Acted: true, Message: &protocol.MessageState{
			ID: protocol.MessageID(r.Command), Status: protocol.MessageDelivered,
		}}, nil
	case protocol.WithdrawSession.Name:
		return protocol.WithdrawSessionReply{Started: h.started[r.Session]}, nil
	case protocol.ReadScreen.Name:
		return protocol.ReadScreenReply{Lines: []string{"the screen"}}, nil
	case protocol.ReadTerminal.Name:
		return protocol.ReadTerminalReply{Lines: []string{"the terminal"}}, nil
	case protocol.ReadRecording.Name:
		return protocol.ReadRecordingReply{Segments: h.segments, Data: []byte("from the host")}, nil
	case protocol.ReadChanges.Name:
		return protocol.ReadChangesReply{Repository: true, Branch: "main"}, nil
	}
	return nil, fmt.Errorf("command %q is not in the script", name)
}

// session starts a session on a host.
func (w *world) session(c auth.Caller, h *host, name string) fleet.Session {
	w.t.Helper()
	return must(w.CreateSession(w.t.Context(), c, fleet.NewSession{Name: name, Host: string(h.ID), WorkingDir: "/home/" + name}))(w.t)
}

// commandsOf is what a host was told so far.
func (w *world) commandsOf(h *host) map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.commands)
}

// hangUpAfter ends a request's context as soon as the gate has let it through.
func hangUpAfter(record func(context.Context, audit.Event) error, hangUp func()) func(context.Context, audit.Event) error {
	return func(ctx context.Context, e audit.Event) error {
		err := record(ctx, e)
		hangUp()
		return err
	}
}
