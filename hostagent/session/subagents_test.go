package session

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// entries are the transcript's so far.
func (r *rig) entries(id protocol.SessionID) []protocol.Entry {
	r.t.Helper()
	var entries []protocol.Entry
	for _, e := range r.events(id) {
		if e.Kind == protocol.EventEntry {
			entries = append(entries, decode[protocol.Entry](r, e))
		}
	}
	return entries
}

// spoken is what an agent or a subagent said.
func spoken(text string) func(protocol.Entry) bool {
	return func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant && e.Text == text }
}

// checkSubagents: every entry of a subagent says whose it is, and follows the call that started it.
func (r *rig) checkSubagents(entries []protocol.Entry, want ...string) {
	r.t.Helper()
	called := map[string]bool{}
	var said []string
	for i, e := range entries {
		if e.Role == protocol.RoleToolCall {
			called[e.ToolUse] = true
		}
		if e.SubagentID == "" {
			continue
		}
		if e.Subagent != "general-purpose" || !called[e.SubagentCall] || e.Message != "" {
			r.t.Errorf("entry %d of a subagent: %+v", i, e)
		}
		if e.Role == protocol.RoleAssistant {
			said = append(said, e.Text)
		}
	}
	for _, text := range want {
		if times := len(slices.DeleteFunc(slices.Clone(said), func(s string) bool { return s != text })); times != 1 {
			r.t.Errorf("a subagent said %q %d times: %q", text, times, said)
		}
	}
}

// TestSubagents: what two at once do, one of them with one of its own, is in the session's one sequence.
func TestSubagents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:multi task fake:text first begins ,, read ./none ,, text first ends && task fake:task fake:text nested says ;; text both run")
	for _, text := range []string{"first ends", "nested says", "both run"} {
		r.entry(id, text, spoken(text))
	}
	r.await(id, protocol.StateIdle)
	entries := r.entries(id)
	r.checkSubagents(entries, "first begins", "first ends", "nested says")
	r.entry(id, "the subagent's failed call", func(e protocol.Entry) bool {
		return e.SubagentID != "" && e.Role == protocol.RoleToolResult && e.IsError
	})
	checkNoDoubles(r, r.events(id))
}

// TestSubagentInBackground: what it does while the session is idle is told as it comes.
func TestSubagentInBackground(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	r.send(id, "fake:task fake:text at first ,, bash sleep 7 ,, text at last ;; text meanwhile")
	r.entry(id, "the end", spoken("at last"))
	r.checkSubagents(r.entries(id), "at first", "at last")
}

// TestUsageIsExact compares what is counted with what the CLI itself counts and says when it ends.
func TestUsageIsExact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	end := func(force bool) protocol.SessionUsage {
		t.Helper()
		r.await(id, protocol.StateIdle)
		_, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id, Force: force})
		check(t, err)
		s, err := r.session(id)
		check(t, err)
		r.untilTrue("all that was written", func() (read bool) {
			s.view(func(*fold) { read = !s.running })
			return read
		})
		return *s.state().Usage
	}
	exactly := func(what string, conversations int) protocol.SessionUsage {
		t.Helper()
		usage := end(false)
		s, err := r.session(id)
		check(t, err)
		var said int64
		s.view(func(f *fold) {
			for _, read := range f.files {
				if read.cost != nil {
					said += read.cost.Tokens
					conversations--
				}
			}
		})
		counted := usage.Total().Total()
		// The CLI's own calls of the model, such as for a title, are in no transcript.
		if counted > said || said > counted+50 || usage.CostPartial || *usage.CostUSD <= 0 || conversations != 0 {
			t.Errorf("%s: counted %d tokens, the CLI %d: %+v", what, counted, said, usage)
		}
		return usage
	}
	talk := func(script, last string) {
		t.Helper()
		r.send(id, script)
		r.entry(id, last, spoken(last))
	}
	resume := func() {
		t.Helper()
		_, err := r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
		check(t, err)
		r.await(id, protocol.StateIdle)
	}
	talk("fake:multi text several blocks && read ./none && task fake:text sub one ;; text first run", "first run")
	r.entry(id, "the subagent", spoken("sub one"))
	talk("fake:text settled", "settled") // behind what the CLI says to the model of the subagent's end
	first := exactly("the first run", 1)
	if first.Subagents.Output == 0 || first.Main.Output == 0 {
		t.Errorf("usage %+v", first)
	}
	resume()
	talk("fake:text second run", "second run")
	second := exactly("the second run", 1)
	resume()
	r.atTerminal(id, "/clear")
	r.untilTrue("the command's menu", func() bool { return strings.Contains(r.screen(id), "❯ /clear") })
	r.atTerminal(id, "\r")
	s, err := r.session(id)
	check(t, err)
	r.untilTrue("the new conversation", func() (cleared bool) {
		s.view(func(f *fold) { cleared = f.process.Session != string(id) })
		return cleared
	})
	talk("fake:text third run", "third run")
	third := exactly("after /clear", 2)
	if first.Main.Output >= second.Main.Output || second.Main.Output >= third.Main.Output || *first.CostUSD >= *third.CostUSD {
		t.Errorf("usage %+v, then %+v, then %+v", first, second, third)
	}
	resume()
	talk("fake:text killed run", "killed run")
	if fourth := end(true); !fourth.CostPartial || fourth.Main.Output <= third.Main.Output || *fourth.CostUSD != *third.CostUSD {
		t.Errorf("after a kill: %+v, before %+v", fourth, third)
	}
	checkGapFree(t, r.events(id))
}

// TestWrittenWhileNobodyLooked: the host agent is killed, and then the whole machine stops. What the CLI and its
// subagents wrote meanwhile is told by the next host agent, once, and what comes after resuming too.
func TestWrittenWhileNobodyLooked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, id := r.createElsewhere()
	p.call(managerCall{Send: &protocol.SendMessageRequest{
		Act: act(), Session: id, Message: "m1", Text: "fake:text seen ;; task fake:text sub one ,, slow 1 ;; text unseen one ;; task fake:text sub two ;; text unseen two",
	}})
	r.untilOnDisk(id, "the first entry", func(e protocol.Event) bool { return e.Kind == protocol.EventEntry })
	p.kill()
	dir := filepath.Join(r.home, ".claude", "projects")
	written := func(text string) bool {
		found := false
		check(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if strings.HasSuffix(path, ".jsonl") && err == nil {
				content, _ := os.ReadFile(path) // it may have gone
				found = found || strings.Contains(string(content), `"text":"`+text+`"`)
			}
			return nil
		}))
		return found
	}
	for _, text := range []string{"unseen two", "sub two", "line 1 of a slow answer\\nline 2 of a slow answer\\nline 3 of a slow answer\\nline 4 of a slow answer\\nline 5 of a slow answer\\n"} {
		r.untilTrue(text, func() bool { return written(text) })
	}
	r.stopMachine(id)

	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	r.await(id, protocol.StateExited)
	_, err := r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.await(id, protocol.StateIdle)
	r.send(id, "fake:text resumed")
	r.entry(id, "the rest", spoken("resumed"))
	entries := r.entries(id)
	r.checkSubagents(entries, "sub one", "sub two")
	for _, text := range []string{"seen", "unseen one", "unseen two", "resumed"} {
		if times := len(slices.DeleteFunc(slices.Clone(entries), func(e protocol.Entry) bool { return !spoken(text)(e) })); times != 1 {
			t.Errorf("%q was told %d times", text, times)
		}
	}
	checkGapFree(t, r.events(id))
	checkNoDoubles(r, r.events(id))
}

// stopMachine kills the session's agent and its holder at once.
func (r *rig) stopMachine(id protocol.SessionID) {
	r.t.Helper()
	dir := filepath.Join(r.dir, string(id))
	entries, err := holder.ReadJournal(dir, 0)
	check(r.t, err)
	var started holder.Started
	for _, e := range entries {
		if e.Kind == holder.KindStarted {
			check(r.t, json.Unmarshal(e.Body, &started))
		}
	}
	text, err := exec.CommandContext(r.t.Context(), "ps", "-o", "ppid=", "-p", strconv.Itoa(started.PID)).Output()
	check(r.t, err)
	parent, err := strconv.Atoi(strings.TrimSpace(string(text)))
	check(r.t, err)
	check(r.t, syscall.Kill(parent, syscall.SIGKILL))
	check(r.t, syscall.Kill(started.PID, syscall.SIGKILL))
	r.untilTrue("the holder's end", func() bool { return !holder.Alive(dir) })
}
