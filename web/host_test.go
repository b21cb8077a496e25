package web_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// host is a scripted host: it is enrolled, tells what it is told to, and says yes to commands, which it keeps.
type host struct {
	recording any // what it says to read_recording
	site      *site
	fleet.Host
	mu       sync.Mutex // guards the fields below
	seq      map[protocol.SessionID]uint64
	sessions map[protocol.SessionID]protocol.Session
	asked    []string // the commands, with their JSON
	changed  []string // what it says that it changed in each message
	typed    bool     // of a message that is to be taken back, it has typed all already
}

// newHost enrols the machine studio for a person, and connects it.
func (s *site) newHost(t *testing.T, owner auth.Login) *host {
	t.Helper()
	token, err := s.pages.Fleet.CreateJoinToken(t.Context(), s.caller(t, owner), "studio")
	if err != nil {
		t.Fatal(err)
	}
	return s.enrol(t, token.Token)
}

func (s *site) enrol(t *testing.T, token string) *host {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	enrolled, err := s.pages.Fleet.Enrol(t.Context(), fleet.Enrolment{Token: token, NKey: key}, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{site: s, Host: enrolled, seq: map[protocol.SessionID]uint64{}, sessions: map[protocol.SessionID]protocol.Session{}}
	subscription, err := s.conn.Subscribe(protocol.AllCommands(h.ID), h.answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = subscription.Unsubscribe() })
	_, err = s.pages.Fleet.RecordHello(t.Context(), h.ID, protocol.HelloRequest{
		Version: protocol.Version, Agent: "0.1.0", Hostname: name(enrolled), OS: "darwin", Arch: "arm64",
		Kinds: []protocol.Kind{{Name: "claude", Version: "2.1.329"}, {Name: "codex", Missing: "codex is not installed: it is not in PATH"}},
		Roots: []string{"/Users/ada/src"}, Modes: []string{"default", "plan"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func name(h fleet.Host) string { return h.Name + ".local" }

// answer does what a host would, as far as a page can tell.
func (h *host) answer(m *nats.Msg) {
	_, command, _ := protocol.ParseSubject(m.Subject)
	h.mu.Lock()
	h.asked = append(h.asked, command+" "+string(m.Data))
	h.mu.Unlock()
	var request struct {
		Session protocol.SessionID `json:"session_id"`
		Message protocol.MessageID `json:"message_id"`
		protocol.CreateSessionRequest
	}
	if err := json.Unmarshal(m.Data, &request); err != nil {
		panic(err)
	}
	reply := h.reply(command, request.Session, request.Message, request.CreateSessionRequest)
	text, err := json.Marshal(reply)
	if err != nil {
		panic(err)
	}
	answer := nats.NewMsg(m.Reply)
	answer.Data = text
	if _, refused := reply.(*protocol.Error); refused {
		answer.Header.Set("Switchboard-Error", "1")
	}
	_ = m.RespondMsg(answer)
	if sent, ok := reply.(protocol.SendMessageReply); ok {
		// What a host has taken, it also reports: without that the next message would wait.
		if err := h.report(context.Background(), request.Session, protocol.EventMessage, sent.Message); err != nil {
			panic(err)
		}
	}
}

func (h *host) reply(command string, id protocol.SessionID, message protocol.MessageID, create protocol.CreateSessionRequest) any {
	h.mu.Lock()
	defer h.mu.Unlock()
	session := h.sessions[id]
	switch command {
	case protocol.CreateSession.Name:
		session = newSession(id, create.Name)
		session.WorkingDir = create.WorkingDir
		h.sessions[id] = session
	case protocol.TerminateSession.Name:
		now := time.Now()
		session.State, session.ExitedAt, session.StateAt = protocol.StateExited, &now, now
		h.sessions[id] = session
	case protocol.SendMessage.Name:
		if session.State == protocol.StateExited {
			return protocol.Errorf(protocol.CodeConflict, "session %s has exited", session.Name)
		}
		return protocol.SendMessageReply{Message: protocol.MessageState{ID: message, Status: protocol.MessageQueued}, Changed: h.changed}
	case protocol.SendMessageIfIdle.Name:
		return protocol.Errorf(protocol.CodeConflict, "nothing was typed: the agent works")
	case protocol.WithdrawCommand.Name:
		if h.typed {
			return protocol.WithdrawCommandReply{Acted: true, Message: &protocol.MessageState{Status: protocol.MessageDelivered}}
		}
		return protocol.WithdrawCommandReply{Acted: true, Message: &protocol.MessageState{Status: protocol.MessageWithdrawn, Detail: "by Ada"}}
	case protocol.AnswerPrompt.Name:
		return protocol.AnswerPromptReply{Status: protocol.PromptAnswering}
	case protocol.ReadScreen.Name:
		return protocol.ReadScreenReply{Lines: []string{"❯ run the tests", hostile}, Cols: 80, Rows: 24, Title: "✳ web-app"}
	case protocol.ReadTerminal.Name:
		return protocol.ReadTerminalReply{Lines: []string{"$ npm test", hostile}}
	case protocol.ReadRecording.Name:
		return h.recording
	case protocol.ReadChanges.Name:
		return protocol.ReadChangesReply{
			Repository: true, Branch: "fix/cart", Status: " M src/cart.ts", Diff: "diff --git a/src/cart.ts b/src/cart.ts\n" +
				"--- a/src/cart.ts\n+++ b/src/cart.ts\n@@ -1,3 +1,3 @@ export function total(items: Item[])\n const sum = items.reduce(add)\n" +
				"-return sum\n+return Math.round(sum * 100) / 100 // " + hostile + "\n",
		}
	}
	return protocol.SessionReply{Session: session}
}

// commands are those of one name that the host was asked for.
func (h *host) commands(name string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []string
	for _, command := range h.asked {
		if rest, ok := strings.CutPrefix(command, name+" "); ok {
			found = append(found, rest)
		}
	}
	return found
}

func newSession(id protocol.SessionID, name string) protocol.Session {
	now := time.Now()
	return protocol.Session{
		ID: id, Name: name, Agent: "claude", AgentVersion: "2.1.329", WorkingDir: "/Users/ada/src/" + name,
		PermissionMode: "default", State: protocol.StateIdle, Evidence: "hook Stop",
		StateAt: now.Add(-4 * time.Minute), StartedAt: now.Add(-time.Hour),
	}
}

// start has its owner start the session web-app.
func (h *host) start(t *testing.T, owner auth.Login) fleet.Session {
	t.Helper()
	session, err := h.site.pages.Fleet.CreateSession(t.Context(), h.site.caller(t, owner), fleet.NewSession{
		Name: "web-app", Host: string(h.ID), WorkingDir: "/Users/ada/src/web-app",
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// tell reports something about a session.
func (h *host) tell(t *testing.T, id protocol.SessionID, kind protocol.EventKind, body any) {
	t.Helper()
	if err := h.report(t.Context(), id, kind, body); err != nil {
		t.Fatal(err)
	}
}

func (h *host) report(ctx context.Context, id protocol.SessionID, kind protocol.EventKind, body any) error {
	h.mu.Lock()
	defer h.mu.Unlock() // in the order of their numbers
	event := protocol.NewEvent(time.Now(), kind, body)
	event.Seq = h.seq[id] + 1
	_, err := h.site.pages.Fleet.RecordEvents(ctx, h.ID, protocol.EventsRequest{Session: id, Events: []protocol.Event{event}})
	if err == nil {
		h.seq[id] = event.Seq
	}
	return err
}

// become reports a session's state.
func (h *host) become(t *testing.T, id protocol.SessionID, state protocol.State, evidence string) {
	t.Helper()
	h.mu.Lock()
	session := h.sessions[id]
	session.State, session.Evidence, session.StateAt, session.LastSeq = state, evidence, time.Now(), h.seq[id]+1
	h.sessions[id] = session
	h.mu.Unlock()
	h.tell(t, id, protocol.EventSession, session)
}

// ask reports a prompt.
func (h *host) ask(t *testing.T, prompt protocol.Prompt) protocol.Prompt {
	t.Helper()
	prompt.ID, prompt.AskedAt = protocol.PromptID(protocol.NewID()), time.Now().UTC().Truncate(time.Microsecond)
	prompt.Digest = prompt.Sum()
	h.tell(t, prompt.Session, protocol.EventPrompt, prompt)
	return prompt
}

func permission(id protocol.SessionID) protocol.Prompt {
	return protocol.Prompt{
		Session: id, Kind: protocol.PromptPermission, Tool: "Bash", Title: "Claude wants to run a command",
		Detail: "npm test -- --coverage", AllowsText: true, Options: []protocol.Option{
			{ID: "allow", Label: "Yes"},
			{ID: "allow_always", Label: "Yes, and don't ask again for npm test", Effect: "adds the rule Bash(npm test:*) to this project"},
			{ID: "deny", Label: "No"},
		},
	}
}
