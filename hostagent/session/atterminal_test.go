package session

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// TestExitAtTerminal: a person ends the agent by its own command.
func TestExitAtTerminal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.atTerminal(id, "/exit")
	r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(id), "❯ /exit") })
	r.atTerminal(id, "\r")
	s := r.await(id, protocol.StateExited)
	if s.ExitReason != "ended at the terminal" || s.ExitCode == nil || *s.ExitCode != 0 || s.Evidence != "process exit, code 0" {
		t.Errorf("ended session = %+v", s)
	}
	shown, err := r.Terminal(t.Context(), protocol.ReadTerminalRequest{Session: id, Lines: 100})
	check(t, err)
	if text := strings.Join(shown.Lines, "\n"); !strings.Contains(text, "Claude Code") || !strings.Contains(text, "/exit") {
		t.Errorf("the ended session's terminal has not its last screen:\n%s", text)
	}
}

// TestHooksHaveTimeAtTheEnd: what says why an agent ends is not cut off on a slow machine.
func TestHooksHaveTimeAtTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.personsHook("SessionEnd", "sleep 1.7; touch "+r.path("said"))
	id := r.create("")
	_, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.await(id, protocol.StateExited)
	if _, err := os.Stat(r.path("said")); err != nil {
		t.Error(err)
	}
}

// TestMessageBehindDraft: a message waits while a person types, and says why.
func TestMessageBehindDraft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	client, err := holder.Dial(t.Context(), filepath.Join(r.dir, string(id)))
	check(t, err)
	in, keys := io.Pipe()
	var group sync.WaitGroup
	group.Go(func() { check(t, client.Attach(t.Context(), holder.Terminal{Input: in, Output: io.Discard})) })
	_, err = io.WriteString(keys, "half a thought")
	check(t, err)
	r.untilTrue("the draft", func() bool { return strings.Contains(r.screen(id), "half a thought") })
	message := r.send(id, "from elsewhere")
	r.untilTrue("word that somebody types", func() bool {
		_, err := io.WriteString(keys, ".")
		check(t, err)
		return r.toldToWait(id, message, hinderedByTyping)
	})
	if got := r.message(id, message); got.Status != protocol.MessageAccepted || got.Detail != "" {
		t.Errorf("message became %v, want accepted", got)
	}
	r.waited(id, message, hinderedByDraft)
	check(t, keys.Close())
	group.Wait()
	check(t, client.Close())
}

// waited checks that the message was once told to wait for this reason.
func (r *rig) waited(id protocol.SessionID, message protocol.MessageID, why string) {
	r.t.Helper()
	if !r.toldToWait(id, message, why) {
		r.t.Errorf("no event says that the message waits because %q", why)
	}
}

func (r *rig) toldToWait(id protocol.SessionID, message protocol.MessageID, why string) bool {
	r.t.Helper()
	want := protocol.MessageState{ID: message, Status: protocol.MessageQueued, Detail: why}
	return slices.ContainsFunc(r.events(id), func(e protocol.Event) bool {
		return e.Kind == protocol.EventMessage && decode[protocol.MessageState](r, e) == want
	})
}
