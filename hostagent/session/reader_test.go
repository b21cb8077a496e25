package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// withSubagents is a conversation of which two subagents, one of them with one of its own, are part.
func (p *paper) withSubagents() {
	p.write(p.conversation, says("go"), calls("m1", "t1", 10, 1), calls("m1", "t2", 10, 1), replies("m2", "both run", 20, 2))
	p.describe("aa", "Explore", "t1")
	p.write(p.subagent("aa"), says("look"), thinks("s1", 3, 4), calls("s1", "t3", 3, 4), replies("s2", "found", 5, 6))
	p.describe("bb", "general-purpose", "t2")
	p.write(p.subagent("bb"), says("do"), replies("s3", "done", 7, 8))
	p.describe("cc", "Plan", "t3")
	p.write(p.subagent("cc"), says("plan"), replies("s4", "planned", 9, 9))
	p.write(p.subagent("dd"), says("nobody knows why"))
}

var toldWithSubagents = []string{
	"user: go", "tool_call: t1",
	"aa user: look", "aa tool_call: t3", "cc user: plan", "cc assistant: planned", "aa assistant: found",
	"tool_call: t2", "bb user: do", "bb assistant: done", "assistant: both run", "dd user: nobody knows why",
}

// TestSubagentsAreTold: what is found in whole is told as it came about: what a subagent did right after the call that
// started it.
func TestSubagentsAreTold(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.withSubagents()
	p.readAll(p.begin(1, p.conversation))
	p.wantTold(toldWithSubagents...)
	last := p.entries()[5]
	want := protocol.Entry{
		Role: protocol.RoleAssistant, Text: "planned", Subagent: "Plan", SubagentID: "cc", SubagentCall: "t3",
		Usage: &protocol.ReplyUsage{Reply: "s4", Usage: protocol.Usage{Input: 9, Output: 9, CacheRead: 1}},
	}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	p.write(p.subagent("aa"), replies("s5", "and more", 1, 1))
	p.write(p.conversation, calls("m3", "t4", 1, 1))
	p.readAll()
	p.write(p.subagent("ee"), says("late"))
	p.describe("ee", "Explore", "t4")
	p.readAll()
	p.wantTold(append(slices.Clone(toldWithSubagents), "aa assistant: and more", "tool_call: t4", "ee user: late")...)
	if got := p.state().Usage; got == nil || got.Main.Input != 31 || got.Subagents.Output != 28 {
		t.Errorf("usage %+v", got)
	}
}

// TestSubagentBeforeItsCaller: a subagent's transcript is there before the one of its caller, and is told after the call
// even so. One whose call never comes is told, too.
func TestSubagentBeforeItsCaller(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	var passed time.Duration
	p.session.now = func() time.Time { return time.Now().Add(passed) }
	p.describe("aa", "Explore", "t1")
	p.write(p.subagent("aa"), says("look"))
	p.describe("bb", "Explore", "gone")
	p.write(p.subagent("bb"), says("alone"))
	p.readAll(p.begin(1, p.conversation))
	p.wantTold()
	p.write(p.conversation, says("go"), calls("m1", "t1", 10, 1))
	p.readAll()
	p.wantTold("user: go", "tool_call: t1", "aa user: look")
	passed += callLags
	p.readAll()
	p.wantTold("user: go", "tool_call: t1", "aa user: look", "bb user: alone")
}

// TestToldFromItsFirstLine: a transcript that was there before the session's first hook is told whole, in order and
// once, a bounded part at each look, while the journal is heeded at each of them.
func TestToldFromItsFirstLine(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	const turns, subagents = 3000, 30
	filler := strings.Repeat("y", 4000)
	var lines []string
	for i := range turns {
		lines = append(lines, says(fmt.Sprintf("q%d %s", i, filler)), replies(fmt.Sprintf("m%d", i), fmt.Sprintf("a%d", i), 1, 1))
		if i%(turns/subagents) == 0 {
			id := fmt.Sprintf("s%d", i)
			lines = append(lines, calls("c"+id, "t"+id, 1, 1))
			p.describe(id, "Explore", "t"+id)
			p.write(p.subagent(id), says("look"), replies("r"+id, filler, 1, 1))
		}
	}
	p.write(p.conversation, lines...)
	check(t, p.look([]holder.Entry{p.begin(1, p.conversation)}))
	size := int64(0)
	looks := 1
	for n := uint64(2); p.behind(); n++ {
		p.view(func(f *fold) {
			if grown := f.position.Offset - size; grown > 2*lookBytes {
				t.Errorf("one look read %d bytes", grown)
			}
			size = f.position.Offset
		})
		check(t, p.look([]holder.Entry{p.begin(n, p.conversation)}))
		if got := p.fold.position.Journal; got != n {
			t.Fatalf("the journal is heeded up to entry %d, want %d", got, n)
		}
		looks++
	}
	if looks < 10 {
		t.Errorf("all was read in %d looks", looks)
	}
	entries := p.entries()
	if len(entries) != 2*turns+3*subagents {
		t.Errorf("%d entries, want %d", len(entries), 2*turns+3*subagents)
	}
	turn := 0
	for i, e := range entries {
		if e.Role == protocol.RoleUser && e.SubagentID == "" {
			if !strings.HasPrefix(e.Text, fmt.Sprintf("q%d ", turn)) {
				t.Fatalf("entry %d is %.20q, want question %d", i, e.Text, turn)
			}
			turn++
		}
		if e.SubagentID != "" && e.Role == protocol.RoleUser && entries[i-1].ToolUse != e.SubagentCall {
			t.Errorf("entry %d of subagent %s does not follow its call", i, e.SubagentID)
		}
	}
	want := &protocol.SessionUsage{
		Main:      protocol.Usage{Input: turns + subagents, Output: turns + subagents, CacheRead: turns + subagents},
		Subagents: protocol.Usage{Input: subagents, Output: subagents, CacheRead: subagents},
	}
	if diff := cmp.Diff(want, p.state().Usage); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

// TestKilledWhileReading kills the host agent after each step that it had written. Together with the next one it tells
// everything once, and counts it once.
func TestKilledWhileReading(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.withSubagents()
	p.readAll(p.begin(1, p.conversation))
	p.write(p.conversation, thinks("m3", 5, 5), costs(0.5, 40))
	next := filepath.Join(filepath.Dir(p.conversation), "c2.jsonl")
	p.write(next, says("cleared"), replies("n1", "yes", 2, 3), costs(0.25, 6))
	p.readAll(p.begin(2, next))
	want := p.told()
	usage := p.state().Usage
	text, err := os.ReadFile(filepath.Join(p.dir, "events.jsonl"))
	check(t, err)
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for killed := range len(lines) + 1 {
		p.again(lines[:killed])
		// The journal is read from the disk in life; here it is told again.
		p.readAll(p.begin(1, p.conversation))
		p.readAll(p.begin(2, next))
		got := p.told()
		slices.Sort(got)
		sorted := slices.Sorted(slices.Values(want))
		if diff := cmp.Diff(sorted, got); diff != "" {
			t.Errorf("killed after step %d, told (-want +got):\n%s", killed, diff)
		}
		if diff := cmp.Diff(usage, p.fold.usage()); diff != "" {
			t.Errorf("killed after step %d, usage (-want +got):\n%s", killed, diff)
		}
	}
}

// TestEventLogOfBefore: a version that followed one file, and counted nothing, had told a part.
func TestEventLogOfBefore(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.withSubagents()
	size := func() int64 { info, err := os.Stat(p.conversation); check(t, err); return info.Size() }()
	p.write(p.conversation, replies("m3", "new", 100, 100))
	entry := func(seq int, role, text string) string {
		return fmt.Sprintf(`{"seq":%d,"at":"2026-11-21T08:30:00Z","kind":"entry","body":{"role":%q,"text":%q}}`, seq, role, text)
	}
	p.again([][]byte{
		fmt.Appendf(nil, `{"journal":1,"transcript":%q,"offset":%d,"events":[%s,%s]}`, p.conversation, size, entry(1, "user", "go"), entry(2, "assistant", "both run")),
	})
	p.readAll()
	told := p.told()
	slices.Sort(told)
	want := append([]string{"user: go", "assistant: both run", "assistant: new"}, slices.DeleteFunc(slices.Clone(toldWithSubagents), func(s string) bool { return s[2] != ' ' })...)
	slices.Sort(want)
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if got := p.state().Usage; got.Main != (protocol.Usage{Input: 130, Output: 103, CacheRead: 3}) || got.Subagents.Output != 27 {
		t.Errorf("usage %+v", got)
	}
}

// TestStrangeFiles: what a program puts into the place of the agent's files is neither told nor waited for, and hides
// nothing of the rest.
func TestStrangeFiles(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.withSubagents()
	secret := filepath.Join(t.TempDir(), "another.jsonl")
	p.write(secret, says("a secret of another conversation"))
	check(t, os.Symlink(secret, p.subagent("link")))
	check(t, syscall.Mkfifo(p.subagent("pipe"), 0o600))
	check(t, os.Mkdir(p.subagent("dir"), 0o700))
	check(t, os.WriteFile(p.subagent("..x"), []byte(says("a name of another kind")+"\n"), 0o600))
	check(t, os.Symlink(secret, strings.TrimSuffix(p.subagent("dd"), ".jsonl")+".meta.json"))
	p.write(p.subagent("long"), says(strings.Repeat("x", maxLine+10)), "not JSON", says("after a long line"))
	endless, err := os.Create(p.subagent("zz")) // holes: it has no end of a line
	check(t, err)
	check(t, endless.Truncate(64<<20))
	check(t, endless.Close())

	looks := p.readAll(p.begin(1, p.conversation))
	want := append(slices.Clone(toldWithSubagents), "long user: after a long line")
	p.wantTold(want...)
	if again := p.readAll(); again > 1 {
		t.Errorf("%d more looks at what was read in %d", again, looks)
	}

	// The directory itself leads elsewhere, and so does the transcript.
	elsewhere := t.TempDir()
	p.write(filepath.Join(elsewhere, "agent-aa.jsonl"), says("a secret of another subagent"))
	dir := p.kind.SubagentDir(p.conversation)
	check(t, os.Rename(dir, dir+".away"))
	check(t, os.Symlink(elsewhere, dir))
	linked := filepath.Join(filepath.Dir(p.conversation), "c2.jsonl")
	check(t, os.Symlink(secret, linked))
	p.readAll(p.begin(2, linked))
	piped := filepath.Join(filepath.Dir(p.conversation), "c3.jsonl")
	check(t, syscall.Mkfifo(piped, 0o600))
	p.readAll(p.begin(3, piped))
	p.wantTold(want...)
}

// TestTooManySubagents: of those that are too many it is said that they are.
func TestTooManySubagents(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.write(p.conversation, says("go"))
	for i := range maxSubagents + 5 {
		p.write(p.subagent(fmt.Sprintf("s%05d", i)), says("x"))
	}
	p.readAll(p.begin(1, p.conversation))
	p.readAll()
	told := p.told()
	notices := slices.DeleteFunc(slices.Clone(told), func(s string) bool { return s != "notice: "+tooManySubagents })
	if len(told) != maxSubagents+2 || len(notices) != 1 {
		t.Errorf("%d entries, %d of them notices", len(told), len(notices))
	}
	begun := time.Now()
	for range 10 {
		p.searched = time.Time{}
		check(t, p.look(nil))
	}
	t.Logf("a look at %d subagents takes %v", maxSubagents, time.Since(begun)/10)
}

// TestWhatCannotBeKeptIsNotRead: while the event log cannot be written, no more of the transcripts is taken into memory;
// then nothing is missing.
func TestWhatCannotBeKeptIsNotRead(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.write(p.conversation, says("one"))
	path := filepath.Join(p.dir, "events.jsonl")
	check(t, p.log.file.Close())
	if p.look([]holder.Entry{p.begin(1, p.conversation)}) == nil {
		t.Fatal("written to a closed file")
	}
	p.write(p.conversation, says("two"))
	for range 3 {
		if p.look(nil) == nil {
			t.Fatal("written to a closed file")
		}
	}
	if events := len(p.unsent); events > 2 {
		t.Errorf("%d steps wait to be written", events)
	}
	var err error
	p.log.file, err = os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	p.readAll()
	p.wantTold("user: one", "user: two")
}
