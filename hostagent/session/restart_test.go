package session

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// managerConfig is what a manager in a process of its own is started with.
type managerConfig struct {
	Dir, Self string
	Roots     []string
	Environ   []string
}

// managerCall is a command to it, one per line of its standard input; an error, or an empty line, answers it.
type managerCall struct {
	Create *protocol.CreateSessionRequest
	Send   *protocol.SendMessageRequest
	Answer *protocol.AnswerPromptRequest
}

// runManager is that process.
func runManager(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c managerConfig
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	p := policy.Default()
	p.Roots = c.Roots
	m := &Manager{Dir: c.Dir, Self: c.Self, Policy: p, Kinds: kinds(), Environ: c.Environ}
	if err := m.Open(context.Background()); err != nil {
		return err
	}
	fmt.Println()
	calls := json.NewDecoder(os.Stdin)
	for {
		var call managerCall
		if err := calls.Decode(&call); err != nil {
			return err
		}
		if err := m.carryOut(call); err != nil {
			fmt.Printf("%q", err)
		}
		fmt.Println()
	}
}

func (m *Manager) carryOut(call managerCall) error {
	var err error
	switch {
	case call.Create != nil:
		_, err = m.Create(context.Background(), *call.Create)
	case call.Send != nil:
		_, err = m.Send(context.Background(), *call.Send)
	case call.Answer != nil:
		_, err = m.Answer(context.Background(), *call.Answer)
	}
	return err
}

// process is a manager in a process of its own, which can be killed.
type process struct {
	t       *testing.T
	command *exec.Cmd
	calls   io.WriteCloser
	replies *bufio.Scanner
}

func (r *rig) startProcess() *process {
	r.t.Helper()
	self, err := os.Executable()
	check(r.t, err)
	text, err := json.Marshal(managerConfig{Dir: r.dir, Self: self, Roots: []string{r.home}, Environ: r.environ})
	check(r.t, err)
	config := filepath.Join(r.home, "manager.json")
	check(r.t, os.WriteFile(config, text, 0o600))
	p := &process{t: r.t, command: exec.CommandContext(r.t.Context(), self, "manager", config)}
	p.command.Stderr = r.t.Output()
	p.calls, err = p.command.StdinPipe()
	check(r.t, err)
	replies, err := p.command.StdoutPipe()
	check(r.t, err)
	p.replies = bufio.NewScanner(replies)
	check(r.t, p.command.Start())
	r.t.Cleanup(func() { _ = errors.Join(p.command.Process.Kill(), p.command.Wait()) }) // usually killed before
	if !p.replies.Scan() {
		r.t.Fatal("the manager did not start")
	}
	return p
}

// createElsewhere starts a session under such a manager. The rig's own is closed.
func (r *rig) createElsewhere() (*process, protocol.SessionID) {
	r.t.Helper()
	check(r.t, r.Close())
	p := r.startProcess()
	create := protocol.CreateSessionRequest{Act: act(), Session: protocol.NewSessionID(), WorkingDir: r.project}
	p.call(managerCall{Create: &create})
	return p, create.Session
}

func (p *process) call(call managerCall) {
	p.t.Helper()
	p.tell(call)
	if !p.replies.Scan() || p.replies.Text() != "" {
		p.t.Fatalf("manager: %s", p.replies.Text())
	}
}

// tell does not wait for the reply.
func (p *process) tell(call managerCall) {
	p.t.Helper()
	check(p.t, json.NewEncoder(p.calls).Encode(call))
}

func (p *process) kill() {
	p.t.Helper()
	check(p.t, p.command.Process.Kill())
	_ = p.command.Wait() // an error: it was killed
}

// onDisk reads a session's events past whatever process writes them. A torn last line counts as none.
func (r *rig) onDisk(id protocol.SessionID) []protocol.Event {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, string(id), "events.jsonl"))
	if os.IsNotExist(err) {
		return nil
	}
	check(r.t, err)
	var events []protocol.Event
	for line := range strings.Lines(string(text)) {
		var s step
		if !strings.HasSuffix(line, "\n") {
			break
		}
		check(r.t, json.Unmarshal([]byte(line), &s))
		events = append(events, s.Events...)
	}
	return events
}

func (r *rig) untilOnDisk(id protocol.SessionID, what string, met func(protocol.Event) bool) protocol.Event {
	r.t.Helper()
	var found protocol.Event
	r.untilTrue(what, func() bool {
		events := r.onDisk(id)
		at := slices.IndexFunc(events, met)
		if at >= 0 {
			found = events[at]
		}
		return at >= 0
	})
	return found
}

// heldHook waits until the journal has its n-th held hook, and says since when.
func (r *rig) heldHook(id protocol.SessionID, n int) (at time.Time) {
	r.t.Helper()
	r.untilTrue("held hook", func() bool {
		entries, err := holder.ReadJournal(filepath.Join(r.dir, string(id)), 0)
		check(r.t, err)
		held := 0
		for _, e := range entries {
			if e.Kind == holder.KindHook && strings.Contains(string(e.Body), `"held":true`) {
				held++
				at = e.At
			}
		}
		return held >= n
	})
	return at
}

func isState(want protocol.State) func(protocol.Event) bool {
	return func(e protocol.Event) bool {
		s, err := protocol.Decode[protocol.Session](e)
		return e.Kind == protocol.EventSession && err == nil && s.State == want
	}
}

// TestKilledWhileSending kills the manager at many moments between taking a message and its receipt. Whatever
// the moment, no message is typed twice, none is lost without a word, and the events have no gap and no double.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, id := r.createElsewhere()
	r.untilOnDisk(id, "idle session", isState(protocol.StateIdle))

	moments := []time.Duration{0, 10, 40, 130, 170, 220, 300}
	var sent []protocol.SendMessageRequest
	final := map[protocol.MessageID]protocol.MessageStatus{}
	for i, moment := range moments {
		send := protocol.SendMessageRequest{Act: act(), Session: id, Message: protocol.MessageID(protocol.NewID()), Text: fmt.Sprintf("message %d", i)}
		sent = append(sent, send)
		p.tell(managerCall{Send: &send})
		time.Sleep(moment * time.Millisecond) // the fault's moment, not a wait
		p.kill()
		p = r.startProcess()
		p.call(managerCall{Send: &send}) // as the control plane does when it got no reply
		r.untilOnDisk(id, "end of "+send.Text, func(e protocol.Event) bool {
			state, err := protocol.Decode[protocol.MessageState](e)
			ended := e.Kind == protocol.EventMessage && err == nil && state.ID == send.Message && state.Status.Final()
			if ended {
				final[send.Message] = state.Status
			}
			return ended
		})
	}
	p.kill()

	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	for _, send := range sent {
		if final[send.Message] == protocol.MessageAccepted {
			r.entry(id, send.Text, func(e protocol.Entry) bool { return e.Message == send.Message })
		}
	}
	r.await(id, protocol.StateIdle)
	events := r.events(id)
	checkGapFree(t, events)
	checkNoDoubles(r, events)
	said := map[string]int{}
	for _, e := range events {
		if e.Kind == protocol.EventEntry && decode[protocol.Entry](r, e).Role == protocol.RoleUser {
			said[decode[protocol.Entry](r, e).Text]++
		}
	}
	for _, send := range sent {
		t.Logf("%s: %s, said %d times", send.Text, final[send.Message], said[send.Text])
		if said[send.Text] > 1 {
			t.Errorf("%s reached the agent %d times", send.Text, said[send.Text])
		}
		if final[send.Message] == protocol.MessageAccepted && said[send.Text] != 1 {
			t.Errorf("%s was accepted, but reached the agent %d times", send.Text, said[send.Text])
		}
	}
}

// TestKilledAroundPrompt: the dialog and the held hook wait for an answer while the host agent is away.
func TestKilledAroundPrompt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, id := r.createElsewhere()
	p.call(managerCall{Send: &protocol.SendMessageRequest{
		Act: act(), Session: id, Message: "m1", Text: "fake:bash touch one ;; fake:bash touch two ;; fake:bash touch three",
	}})

	// Killed while the dialog is open, answered by the next manager, killed again right after the answer.
	first := decode[protocol.Prompt](r, r.untilOnDisk(id, "first prompt", nth(1, protocol.EventPrompt)))
	p.kill()
	p = r.startProcess()
	answer := protocol.AnswerPromptRequest{Act: act(), Session: id, Prompt: first.ID, Digest: first.Digest, Answer: protocol.Answer{Option: protocol.OptionAllow}}
	p.call(managerCall{Answer: &answer})
	p.kill()

	// The second dialog appears and is answered at the terminal while no host agent runs.
	asked := r.heldHook(id, 2)
	r.untilTrue("the dialog to listen", func() bool { return time.Since(asked) > dialogAge })
	r.atTerminal(id, "1")
	r.untilTrue("the second command", func() bool { return exists(r.path("two")) })
	p = r.startProcess()
	second := decode[protocol.Prompt](r, r.untilOnDisk(id, "second prompt", nth(2, protocol.EventPrompt)))
	p.call(managerCall{Answer: &answer}) // repeated: acts once
	third := decode[protocol.Prompt](r, r.untilOnDisk(id, "third prompt", nth(3, protocol.EventPrompt)))
	answer = protocol.AnswerPromptRequest{Act: act(), Session: id, Prompt: third.ID, Digest: third.Digest, Answer: protocol.Answer{Option: protocol.OptionDeny}}
	p.call(managerCall{Answer: &answer})
	r.untilOnDisk(id, "third settlement", nth(3, protocol.EventSettlement))
	p.kill()

	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	r.await(id, protocol.StateIdle)
	events := r.events(id)
	checkGapFree(t, events)
	checkNoDoubles(r, events)
	for _, want := range []struct {
		prompt  protocol.Prompt
		outcome protocol.Outcome
		where   protocol.Where
	}{
		{first, protocol.OutcomeAllowed, protocol.WhereRemote},
		{second, protocol.OutcomeAllowed, protocol.WhereTerminal},
		{third, protocol.OutcomeDenied, protocol.WhereRemote},
	} {
		if got := r.settled(want.prompt); got.Outcome != want.outcome || got.Where != want.where {
			t.Errorf("%s: settlement = %+v, want %s %s", want.prompt.Title, got, want.outcome, want.where)
		}
	}
	if exists(r.path("three")) {
		t.Error("a denied command ran")
	}
}

// TestOneManagerPerDirectory: two would write the same event logs.
func TestOneManagerPerDirectory(t *testing.T) {
	t.Parallel()
	first := &Manager{Dir: t.TempDir(), Policy: policy.Default(), Kinds: agentkind.All()}
	check(t, first.Open(t.Context()))
	second := &Manager{Dir: first.Dir, Policy: policy.Default(), Kinds: agentkind.All()}
	if second.Open(t.Context()) == nil {
		t.Error("a second manager opened the directory")
	}
	check(t, first.Close())
	check(t, second.Open(t.Context()))
	check(t, second.Close())
}

// checkNoDoubles: nothing that happens once is told twice.
func checkNoDoubles(r *rig, events []protocol.Event) {
	r.t.Helper()
	told := map[string]int{}
	for _, e := range events {
		switch e.Kind {
		case protocol.EventPrompt:
			told["prompt "+string(decode[protocol.Prompt](r, e).ID)]++
		case protocol.EventSettlement:
			told["settlement "+string(decode[protocol.Settlement](r, e).Prompt)]++
		case protocol.EventMessage:
			state := decode[protocol.MessageState](r, e)
			told["message "+string(state.ID)+" "+string(state.Status)+" "+state.Detail]++ // it may wait for several reasons
		case protocol.EventEntry:
			if entry := decode[protocol.Entry](r, e); entry.ToolUse != "" {
				told[string(entry.Role)+" "+entry.ToolUse]++
			}
		}
	}
	for what, times := range told {
		if times > 1 {
			r.t.Errorf("%s was told %d times", what, times)
		}
	}
}
