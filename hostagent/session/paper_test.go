package session

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// paper is a session of which there is nothing but files: what its agent would have written is written by the test.
type paper struct {
	t            *testing.T
	dir          string // the session's
	conversation string // the agent's own transcript, and without its ending the directory of its subagents' ones
	kind         agentkind.Kind
	*session
}

func newPaper(t *testing.T) *paper {
	t.Helper()
	root := t.TempDir()
	p := &paper{t: t, dir: filepath.Join(root, "s"), conversation: filepath.Join(root, "project", "c1.jsonl"), kind: agentkind.Claude()}
	check(t, os.MkdirAll(p.dir, 0o700))
	check(t, os.MkdirAll(filepath.Dir(p.conversation), 0o700))
	b := birth{Session: protocol.NewSessionID(), Agent: p.kind.Name, WorkingDir: root, At: time.Now()}
	check(t, b.write(p.dir))
	p.open()
	t.Cleanup(func() { check(t, p.log.close()) })
	return p
}

// open is what a host agent does when it starts.
func (p *paper) open() {
	p.t.Helper()
	m := &Manager{Dir: filepath.Dir(p.dir), Policy: policy.Default(), Kinds: []agentkind.Kind{p.kind}, Environ: []string{}, Log: slog.New(slog.NewTextHandler(p.t.Output(), nil))}
	m.defaults()
	var err error
	p.session, err = m.openSession(p.dir)
	check(p.t, err)
}

// again is another host agent, after the last one was killed with so many lines of its event log written.
func (p *paper) again(lines [][]byte) {
	p.t.Helper()
	check(p.t, p.log.close())
	check(p.t, os.WriteFile(filepath.Join(p.dir, "events.jsonl"), []byte(joinLines(lines)), 0o600))
	p.open()
}

func joinLines(lines [][]byte) string {
	var text strings.Builder
	for _, line := range lines {
		text.Write(append(line, '\n'))
	}
	return text.String()
}

// begin is the hook by which an agent says where its transcript is.
func (p *paper) begin(n uint64, transcript string) holder.Entry {
	p.t.Helper()
	payload, err := json.Marshal(map[string]string{"hook_event_name": "SessionStart", "session_id": "11111111-2222-4333-8444-555555555555", "transcript_path": transcript})
	check(p.t, err)
	body, err := json.Marshal(holder.Hook{ID: "h", Event: "SessionStart", Payload: payload})
	check(p.t, err)
	return holder.Entry{N: n, At: time.Now(), Kind: holder.KindHook, Body: body}
}

// readAll looks until nothing more is there, and returns how often.
func (p *paper) readAll(entries ...holder.Entry) (looks int) {
	p.t.Helper()
	p.searched = time.Time{}
	check(p.t, p.look(entries))
	for looks = 1; p.behind(); looks++ {
		check(p.t, p.look(nil))
	}
	return looks
}

func (p *paper) write(file string, lines ...string) {
	p.t.Helper()
	check(p.t, os.MkdirAll(filepath.Dir(file), 0o700))
	opened, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(p.t, err)
	_, err = opened.WriteString(strings.Join(lines, "\n") + "\n")
	check(p.t, err)
	check(p.t, opened.Close())
}

func (p *paper) subagent(id string) string {
	return filepath.Join(p.kind.SubagentDir(p.conversation), "agent-"+id+".jsonl")
}

// describe writes the agent's note of a subagent.
func (p *paper) describe(id, kind, call string) {
	p.t.Helper()
	p.write(strings.TrimSuffix(p.subagent(id), ".jsonl")+".meta.json", fmt.Sprintf(`{"agentType":%q,"toolUseId":%q}`, kind, call))
}

func (p *paper) events() []protocol.Event {
	p.t.Helper()
	events, err := p.log.events(0, 1<<30)
	check(p.t, err)
	checkGapFree(p.t, events)
	return events
}

func (p *paper) entries() []protocol.Entry {
	p.t.Helper()
	var entries []protocol.Entry
	for _, e := range p.events() {
		if e.Kind == protocol.EventEntry {
			entry, err := protocol.Decode[protocol.Entry](e)
			check(p.t, err)
			entries = append(entries, entry)
		}
	}
	return entries
}

// told is each entry as "speaker: text", in order.
func (p *paper) told() []string {
	var told []string
	for _, e := range p.entries() {
		said := e.Text
		if e.Role == protocol.RoleToolCall {
			said = e.ToolUse
		}
		told = append(told, strings.TrimPrefix(e.SubagentID+" "+string(e.Role)+": "+said, " "))
	}
	return told
}

func (p *paper) wantTold(want ...string) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.told()); diff != "" {
		p.t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Lines as the CLI writes them.
func says(text string) string {
	return fmt.Sprintf(`{"type":"user","isSidechain":false,"timestamp":"2026-11-29T12:00:00Z","message":{"role":"user","content":%q}}`, text)
}

func replies(id, text string, input, output int) string {
	return replyLine(id, fmt.Sprintf(`{"type":"text","text":%q}`, text), input, output)
}

func calls(id, use string, input, output int) string {
	return replyLine(id, fmt.Sprintf(`{"type":"tool_use","id":%q,"name":"Agent","input":{"prompt":"go"}}`, use), input, output)
}

func thinks(id string, input, output int) string {
	return replyLine(id, `{"type":"thinking","thinking":"…"}`, input, output)
}

func replyLine(id, block string, input, output int) string {
	return fmt.Sprintf(`{"type":"assistant","isSidechain":false,"timestamp":"2026-11-29T12:00:01Z","message":{"id":%q,"content":[%s],"usage":{"input_tokens":%d,"output_tokens":%d,"cache_read_input_tokens":1}}}`, id, block, input, output)
}

func costs(usd float64, tokens int) string {
	return fmt.Sprintf(`{"type":"cost-state","totalCostUSD":%g,"modelUsage":{"m":{"inputTokens":%d,"costUSD":1}},"hasUnknownModelCost":false}`, usd, tokens)
}
