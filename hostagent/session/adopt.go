package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// Adoption asks for a conversation that somebody began in a terminal of his own to become a session.
type Adoption struct {
	Agent        string `json:"agent"`        // its kind
	Conversation string `json:"conversation"` // the agent's own id for it
	Name         string `json:"name"`         // of the session; empty: its directory's
	Mode         string `json:"mode"`         // permission mode; empty: the one that it was in
	TakeOver     int    `json:"take_over"`    // the process that has it open and may be ended; 0: none may
	By           string `json:"-"`            // who asks, on this machine
}

// Adopt goes on with a conversation in a session of ours. A process that has it open is ended first, if it is idle and
// that was consented to; whatever is refused leaves it as it is.
func (m *Manager) Adopt(ctx context.Context, a Adoption) (protocol.Session, error) {
	free, err := m.creating.wait(ctx) // he who asks at this machine may wait for longer than a command
	if err != nil {
		return protocol.Session{}, unavailable(whileStarting, err)
	}
	defer free()
	kind, ok := agentkind.Find(m.Kinds, a.Agent)
	if !ok {
		return protocol.Session{}, protocol.Errorf(protocol.CodeInvalid, "this host knows no agent %.50q", a.Agent)
	}
	c, err := m.conversation(kind, a.Conversation)
	if err != nil {
		return protocol.Session{}, err
	}
	b, err := m.planAdoption(ctx, kind, c, a)
	if err != nil {
		return protocol.Session{}, err
	}
	why, err := m.takeOver(ctx, kind, c.ID, a.TakeOver)
	if err != nil {
		return protocol.Session{}, err
	}
	reply, err := m.commence(ctx, b, start{conversation: c.ID, resume: true, why: why + ", by " + b.Actor})
	switch {
	case err != nil && reply.Session.ID != "":
		return reply.Session, protocol.Errorf(protocol.CodeInternal, "the conversation is session %s now; whether its agent is up is not known yet: %v", reply.Session.ID, err)
	case err != nil && why != fromTerminal:
		return protocol.Session{}, protocol.Errorf(protocol.CodeInternal, "%v; the process that had the conversation was ended, and it can be resumed in %s", err, b.WorkingDir)
	}
	return reply.Session, err
}

// fromTerminal is how a conversation came that nobody had open.
const fromTerminal = "adopted from a terminal"

// conversation finds one that is nobody's session yet.
func (m *Manager) conversation(kind agentkind.Kind, id string) (agentkind.Conversation, error) {
	if s := m.holds(kind, id); s != nil {
		state := s.state()
		if state.State == protocol.StateExited {
			return agentkind.Conversation{}, protocol.Errorf(protocol.CodeConflict, "this conversation is session %s (%s) already, which has ended: resume that", state.ID, state.Name)
		}
		return agentkind.Conversation{}, protocol.Errorf(protocol.CodeConflict, "this conversation is session %s (%s) already: attach to that", state.ID, state.Name)
	}
	all, err := kind.Conversations(m.getenv)
	if err != nil {
		return agentkind.Conversation{}, unavailable("looking for the conversation", err)
	}
	at := slices.IndexFunc(all, func(c agentkind.Conversation) bool { return c.ID == id })
	if at < 0 {
		return agentkind.Conversation{}, protocol.Errorf(protocol.CodeNotFound, "%s has no conversation %.50q on this host that can be gone on with", kind.Name, id)
	}
	return all[at], nil
}

// holds finds the session that has this conversation now, or was created or adopted with it.
func (m *Manager) holds(kind agentkind.Kind, conversation string) *session {
	for _, s := range m.all() {
		var current string
		s.view(func(f *fold) { current = f.process.Session })
		b := s.born()
		if b.Agent == kind.Name && slices.Contains([]string{current, string(b.Session), b.Conversation}, conversation) {
			return s
		}
	}
	return nil
}

// planAdoption checks what a start from elsewhere is checked for, and says what will be started.
func (m *Manager) planAdoption(ctx context.Context, kind agentkind.Kind, c agentkind.Conversation, a Adoption) (birth, error) {
	actor := strings.TrimSpace(a.By + " at this machine")
	mode := cmp.Or(a.Mode, c.Mode, kind.DefaultMode)
	if a.Mode == "" && m.rules().Mode(mode) != nil {
		return birth{}, protocol.Errorf(protocol.CodeRefused, "the conversation is in the permission mode %q, which this host's policy does not allow; say in which to go on, as in --permission-mode %s (allowed: %s)",
			mode, kind.DefaultMode, strings.Join(m.rules().Modes, ", "))
	}
	b, err := m.plan(ctx, protocol.CreateSessionRequest{
		Act: protocol.Act{Command: protocol.CommandID(protocol.NewID()), Actor: actor}, Session: protocol.NewSessionID(),
		Name: cmp.Or(a.Name, nameOf(c.Dir)), Agent: kind.Name, WorkingDir: c.Dir, PermissionMode: mode,
	})
	if err != nil {
		return birth{}, err
	}
	for _, feature := range []agentkind.Feature{agentkind.FeatureResume, agentkind.FeatureAdopt} {
		if why := kind.Withheld(b.AgentVersion, feature); why != "" {
			return birth{}, protocol.Errorf(protocol.CodeUnavailable, "no conversation is taken over with this version of the agent: %s", why)
		}
	}
	if b.WorkingDir != c.Dir { // the agent finds its conversations by the directory's path
		return birth{}, protocol.Errorf(protocol.CodeRefused, "the conversation's directory %q leads elsewhere now, to %q", c.Dir, b.WorkingDir)
	}
	b.Conversation = c.ID
	return b, nil
}

// nameOf makes a session's name of its directory's.
func nameOf(dir string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(filepath.Base(dir), ""))
	name, _ = clip(strings.TrimLeft(name, "-"), maxName)
	return name
}

// takeOver sees to it that nobody else has the conversation open, and says how it came to us.
func (m *Manager) takeOver(ctx context.Context, kind agentkind.Kind, conversation string, consented int) (string, error) {
	open := m.writersOf(kind, conversation)
	if len(open) == 0 {
		return fromTerminal, nil
	}
	w := open[0]
	switch {
	case len(open) > 1:
		return "", protocol.Errorf(protocol.CodeConflict, "processes %d and %d have this conversation open: end one of them", w.PID, open[1].PID)
	case w.Activity != agentkind.ActivityIdle:
		return "", protocol.Errorf(protocol.CodeConflict, "process %d has this conversation open and is %s: wait until it is idle", w.PID, cmp.Or(string(w.Activity), "starting"))
	case consented != w.PID:
		return "", protocol.Errorf(protocol.CodeConflict, "process %d has this conversation open, and only one may write it; say that it may be ended (--take-over)", w.PID)
	}
	if err := syscall.Kill(w.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return "", unavailable(fmt.Sprintf("ending process %d", w.PID), err)
	}
	patience, cancel := context.WithTimeout(ctx, politeness)
	defer cancel()
	for len(m.writersOf(kind, conversation)) > 0 {
		if sleep(patience, lookEvery/2) != nil {
			return "", protocol.Errorf(protocol.CodeUnavailable, "process %d was asked to end and has not within %s; nothing was taken over", w.PID, politeness)
		}
	}
	return fmt.Sprintf("adopted from process %d in a terminal", w.PID), nil
}
