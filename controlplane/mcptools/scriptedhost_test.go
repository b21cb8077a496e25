package mcptools

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/hostagent/protocol"
)

// scriptedHost answers commands as a host agent does, without agents: a message is accepted and answered with its
// own words, "ask" makes a prompt, and "hang" leaves the agent working.
type scriptedHost struct {
	world *world
	id    protocol.HostID
	sub   *nats.Subscription

	mu       sync.Mutex // guards the fields below
	sessions map[protocol.SessionID]*protocol.Session
	messages []string // texts that were typed
	answers  []protocol.Answer
	screen   []string
	diff     string
}

func (h *scriptedHost) listen() {
	h.world.t.Helper()
	sub, err := h.world.conn.Subscribe(protocol.AllCommands(h.id), h.answer)
	if err != nil {
		h.world.t.Fatal(err)
	}
	h.sub = sub
	h.world.t.Cleanup(func() { _ = sub.Unsubscribe() }) // the connection may be closed already
	_, err = h.world.fleet.RecordHello(h.world.t.Context(), h.id, protocol.HelloRequest{
		Version: protocol.Version, Agent: "test", Hostname: "macbook.local", OS: "darwin", Arch: "arm64",
		Kinds: []protocol.Kind{{Name: "claude", Version: "2.1.329"}}, Roots: []string{"/src"}, Modes: []string{"default", "plan"},
	})
	if err != nil {
		h.world.t.Fatal(err)
	}
}

// leave is the host's orderly stop.
func (h *scriptedHost) leave() {
	h.world.t.Helper()
	if err := h.sub.Unsubscribe(); err != nil {
		h.world.t.Fatal(err)
	}
	if _, err := h.world.fleet.RecordLeaving(h.world.t.Context(), h.id, protocol.Nothing{}); err != nil {
		h.world.t.Fatal(err)
	}
}

func (h *scriptedHost) answer(m *nats.Msg) {
	_, name, err := protocol.ParseSubject(m.Subject)
	if err != nil {
		h.world.t.Error(err)
		return
	}
	h.mu.Lock()
	reply, after, refused := h.carryOut(name, m.Data)
	h.mu.Unlock()
	answer := nats.NewMsg(m.Reply)
	answer.Data, _ = json.Marshal(reply)
	if refused != nil {
		answer.Header.Set("Switchboard-Error", "1")
		answer.Data, _ = json.Marshal(refused)
	}
	if err := m.RespondMsg(answer); err != nil {
		h.world.t.Error(err)
	}
	if after != nil {
		after()
	}
}

func decode[T any](data []byte) T {
	var v T
	_ = json.Unmarshal(data, &v) // the control plane's own words
	return v
}

// carryOut is called with the lock held. What after reports comes when the command is answered.
func (h *scriptedHost) carryOut(name string, data []byte) (reply any, after func(), refused *protocol.Error) {
	named := decode[struct {
		Session protocol.SessionID `json:"session_id"`
	}](data)
	session := h.sessions[named.Session]
	if session == nil && name != protocol.CreateSession.Name {
		return nil, nil, protocol.Errorf(protocol.CodeNotFound, "no such session here")
	}
	switch name {
	case protocol.CreateSession.Name:
		return h.create(decode[protocol.CreateSessionRequest](data))
	case protocol.TerminateSession.Name:
		now := time.Now()
		code := 0
		session.State, session.Evidence, session.StateAt, session.ExitedAt, session.ExitCode = protocol.StateExited, "process exit", now, &now, &code
		h.report(session.ID, protocol.EventSession, *session)
		return protocol.SessionReply{Session: *session}, nil, nil
	case protocol.InterruptSession.Name, protocol.ResumeSession.Name:
		session.State, session.StateAt, session.ExitedAt, session.ExitCode = protocol.StateIdle, time.Now(), nil, nil
		h.report(session.ID, protocol.EventSession, *session)
		return protocol.SessionReply{Session: *session}, nil, nil
	case protocol.SendMessage.Name:
		request := decode[protocol.SendMessageRequest](data)
		state := protocol.MessageState{ID: request.Message, Status: protocol.MessageDelivered}
		return protocol.SendMessageReply{Message: state}, func() { h.work(request) }, nil
	case protocol.AnswerPrompt.Name:
		request := decode[protocol.AnswerPromptRequest](data)
		h.answers = append(h.answers, request.Answer)
		return protocol.AnswerPromptReply{Status: protocol.PromptAnswering}, func() { h.settle(request) }, nil
	case protocol.ReadScreen.Name:
		return protocol.ReadScreenReply{Lines: h.screen, Cols: 80, Rows: 24}, nil, nil
	case protocol.ReadTerminal.Name:
		return protocol.ReadTerminalReply{Lines: h.screen}, nil, nil
	case protocol.ReadChanges.Name:
		return protocol.ReadChangesReply{Repository: true, Branch: "main", Status: " M a.go", Diff: h.diff}, nil, nil
	}
	return nil, nil, protocol.Errorf(protocol.CodeInvalid, "unknown command %s", name)
}

func (h *scriptedHost) create(r protocol.CreateSessionRequest) (any, func(), *protocol.Error) {
	if !strings.HasPrefix(r.WorkingDir, "/src") {
		return nil, nil, protocol.Errorf(protocol.CodeRefused, "this host's policy does not allow %s", r.WorkingDir)
	}
	now := time.Now()
	session := &protocol.Session{
		ID: r.Session, Name: r.Name, Agent: "claude", AgentVersion: "2.1.329", WorkingDir: r.WorkingDir,
		PermissionMode: "default", State: protocol.StateIdle, Evidence: "hook SessionStart", StateAt: now, StartedAt: now,
	}
	h.sessions[r.Session] = session
	return protocol.SessionReply{Session: *session}, nil, nil
}

// work is what an agent does with a message.
func (h *scriptedHost) work(r protocol.SendMessageRequest) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.messages = append(h.messages, r.Text)
	h.become(r.Session, protocol.StateWorking)
	h.report(r.Session, protocol.EventMessage, protocol.MessageState{ID: r.Message, Status: protocol.MessageAccepted})
	h.report(r.Session, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: r.Text, Message: r.Message})
	switch {
	case r.Text == "hang":
	case strings.HasPrefix(r.Text, "ask"):
		prompt := protocol.Prompt{
			ID: protocol.PromptID(protocol.NewID()), Session: r.Session, Kind: protocol.PromptPermission, Tool: "Bash",
			Title: "Run npm test?\x1b[31m", Detail: "npm test", AskedAt: time.Now().UTC().Truncate(time.Second),
			Options: []protocol.Option{{ID: protocol.OptionAllow, Label: "Yes"}, {ID: protocol.OptionDeny, Label: "No"}},
		}
		prompt.Digest = prompt.Sum()
		h.reportStep(r.Session, protocol.NewEvent(time.Now(), protocol.EventPrompt, prompt), h.stateEvent(r.Session, protocol.StateWaiting))
	default:
		h.report(r.Session, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "you said: " + r.Text})
		h.become(r.Session, protocol.StateIdle)
	}
}

func (h *scriptedHost) settle(r protocol.AnswerPromptRequest) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report(r.Session, protocol.EventSettlement, protocol.Settlement{
		Prompt: r.Prompt, Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Command: r.Command,
		Actor: r.Actor, Answer: r.Answer.Option, Evidence: "hook PostToolUse", At: time.Now(),
	})
	h.become(r.Session, protocol.StateIdle)
}

func (h *scriptedHost) become(id protocol.SessionID, state protocol.State) {
	h.reportStep(id, h.stateEvent(id, state))
}

func (h *scriptedHost) stateEvent(id protocol.SessionID, state protocol.State) protocol.Event {
	session := h.sessions[id]
	session.State, session.Evidence, session.StateAt = state, "hook", time.Now()
	return protocol.NewEvent(session.StateAt, protocol.EventSession, *session)
}

// report commits one event of a session. It is called with the lock held.
func (h *scriptedHost) report(id protocol.SessionID, kind protocol.EventKind, body any) {
	h.reportStep(id, protocol.NewEvent(time.Now(), kind, body))
}

// reportStep commits events that follow from one step, as a host does, in one batch.
func (h *scriptedHost) reportStep(id protocol.SessionID, events ...protocol.Event) {
	session := h.sessions[id]
	for i := range events {
		session.LastSeq++
		events[i].Seq = session.LastSeq
	}
	reply, err := h.world.fleet.RecordEvents(context.WithoutCancel(h.world.t.Context()), h.id,
		protocol.EventsRequest{Session: id, Events: events})
	if err != nil || reply.LastSeq != session.LastSeq {
		h.world.t.Errorf("events up to %d: committed up to %d, %v", session.LastSeq, reply.LastSeq, err)
	}
}

func (h *scriptedHost) typed() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.messages...)
}

func (h *scriptedHost) show(screen []string, diff string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.screen, h.diff = screen, diff
}
