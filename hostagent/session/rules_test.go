package session

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// withRules puts rules in force beside what the rig's policy says already.
func (r *rig) withRules(deny, ask []string) {
	r.t.Helper()
	p := r.rules()
	p.Modes = []string{"manual", "plan", "acceptEdits", "bypassPermissions"}
	p.Deny, p.Ask = parseRules(r.t, deny), parseRules(r.t, ask)
	check(r.t, r.SetPolicy(p))
}

// bypassable lets the CLI run in the mode bypassPermissions: also as root, as if in a sandbox, and without its own
// question about that.
func (r *rig) bypassable() {
	r.t.Helper()
	r.environ = append(r.environ, "CLAUDE_CODE_BUBBLEWRAP=1")
	r.Environ = r.environ
	check(r.t, os.MkdirAll(filepath.Join(r.home, ".claude"), 0o700))
	check(r.t, os.WriteFile(filepath.Join(r.home, ".claude", "settings.json"), []byte(`{"skipDangerousModePermissionPrompt": true}`), 0o600))
}

func parseRules(t *testing.T, written []string) []policy.Rule {
	t.Helper()
	var rules []policy.Rule
	for _, w := range written {
		rule, err := policy.ParseRule(w)
		check(t, err)
		rules = append(rules, rule)
	}
	return rules
}

// denial waits until the transcript says that a rule of the host denied a call.
func (r *rig) denial(id protocol.SessionID, rule string) {
	r.t.Helper()
	r.entry(id, "denial by "+rule, func(e protocol.Entry) bool {
		return e.DeniedBy == protocol.WhereRule && e.IsError && strings.Contains(e.Text, rule)
	})
}

// TestRules: what a rule denies is not done and what a rule has asked about is asked, in every permission mode, by the
// agent and by its subagents, and whatever a setting of the person's own allows.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"manual", "acceptEdits", "bypassPermissions"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.bypassable()
			check(t, os.MkdirAll(r.path(".claude"), 0o700))
			check(t, os.WriteFile(r.path(".claude/settings.json"), []byte(`{"permissions": {"allow": ["Bash"]}}`), 0o600))
			r.withRules([]string{"Bash(touch denied*)", "Edit(*.secret)"}, []string{"Bash(touch asked*)"})
			id := r.create(mode)

			r.send(id, `fake:bash cd . && "to"uch denied1 ;; fake:write x.secret hi`)
			r.denial(id, "Bash(touch denied*)")
			r.denial(id, "Edit(*.secret)")
			r.await(id, protocol.StateIdle)
			r.send(id, "fake:write "+filepath.Join(r.dir, "planted.json")+" {}") // what is there the agent has to read first
			r.denial(id, "Edit("+r.dir+")")                                      // where the rules in force lie
			r.await(id, protocol.StateIdle)
			r.send(id, "fake:bash touch asked1")
			p := r.prompt(id, 1)
			check(t, r.answer(p, protocol.Answer{Option: protocol.OptionAllow}))
			if got := r.settled(p); got.Outcome != protocol.OutcomeAllowed || got.Where != protocol.WhereRemote {
				t.Errorf("settlement = %+v", got)
			}
			r.await(id, protocol.StateIdle)

			r.send(id, "fake:bash touch free") // by the setting's rule
			r.untilTrue("the command that no rule means", func() bool { return exists(r.path("free")) })
			r.await(id, protocol.StateIdle)

			r.send(id, "fake:task fake:bash touch denied2 ,, fake:bash touch asked2")
			r.entry(id, "denial of the subagent", func(e protocol.Entry) bool {
				return e.DeniedBy == protocol.WhereRule && e.Subagent != "" && e.Tool == "Bash" && strings.Contains(e.Text, "Bash(touch denied*)")
			})
			p = r.prompt(id, 2)
			if p.Subagent == "" {
				t.Errorf("prompt = %+v, want the subagent's", p)
			}
			check(t, r.answer(p, protocol.Answer{Option: protocol.OptionDeny}))
			r.settled(p)
			r.await(id, protocol.StateIdle)
			for name, want := range map[string]bool{"denied1": false, "denied2": false, "x.secret": false, "asked1": true, "asked2": false} {
				if exists(r.path(name)) != want {
					t.Errorf("%s is there: %v, want %v", name, !want, want)
				}
			}
		})
	}
}

// TestRulesAtNextCall: other rules hold for live sessions too.
func TestRulesAtNextCall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("acceptEdits")
	r.send(id, "fake:write first.txt hi")
	r.untilTrue("the first file", func() bool { return exists(r.path("first.txt")) })
	r.await(id, protocol.StateIdle)

	r.withRules([]string{"Write"}, nil)
	r.send(id, "fake:write second.txt hi")
	r.denial(id, "Write")
	r.await(id, protocol.StateIdle)
	if exists(r.path("second.txt")) {
		t.Error("the file was written")
	}
	// Rules that cannot be read: a person is asked about everything.
	check(t, os.WriteFile(filepath.Join(r.dir, "policy-in-force.json"), []byte(`{"deny": ["Bash("]}`), 0o600))
	r.send(id, "fake:write third.txt hi")
	check(t, r.answer(r.prompt(id, 1), protocol.Answer{Option: protocol.OptionAllow}))
	r.untilTrue("the third file", func() bool { return exists(r.path("third.txt")) })
	r.await(id, protocol.StateIdle)
}

// TestRulesWithoutHostAgent: rules hold while the host agent is away, and in a repository that switches hooks off; all
// else goes on at the terminal. The denial is told when the host agent is back.
func TestRulesWithoutHostAgent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	check(t, os.MkdirAll(r.path(".claude"), 0o700))
	check(t, os.WriteFile(r.path(".claude/settings.json"), []byte(`{"disableAllHooks": true, "permissions": {"allow": ["Bash"]}}`), 0o600))
	r.withRules([]string{"Bash(touch denied*)"}, nil)
	id := r.create("manual")
	message := r.send(id, "fake:slow 3 ;; fake:bash touch denied ;; fake:bash touch free")
	r.message(id, message)
	check(t, r.Close())
	r.untilTrue("the command that no rule means", func() bool { return exists(r.path("free")) })
	if exists(r.path("denied")) {
		t.Error("the denied command ran while the host agent was away")
	}
	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	r.denial(id, "Bash(touch denied*)")
	r.await(id, protocol.StateIdle)
	checkGapFree(t, r.events(id))
}

// TestFromAfar: in quiet hours nothing is begun, and all that lets an agent stop or go on is done. For whom the owner
// does not name, nothing is done.
func TestFromAfar(t *testing.T) {
	t.Parallel()
	night := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC)
	m := &Manager{Dir: t.TempDir(), Self: "/nowhere", Policy: policy.Default(), Kinds: agentkind.All(), Now: func() time.Time { return night }}
	id := protocol.NewSessionID()
	dir := filepath.Join(m.Dir, string(id))
	check(t, os.Mkdir(dir, 0o700))
	check(t, birth{Session: id, Agent: "claude", PermissionMode: "plan", WorkingDir: "/nowhere", At: night}.write(dir))
	writeSteps(t, dir, protocol.Session{ID: id, State: protocol.StateExited, ExitedAt: &night, LastSeq: 1})
	check(t, m.Open(t.Context()))
	t.Cleanup(func() { check(t, m.Close()) })
	r := &rig{t: t, Manager: m}

	do := protocol.Act{Command: protocol.CommandID(protocol.NewID()), Actor: "alice", Deadline: night.Add(time.Minute)}
	begin := map[string]func() error{
		"create": func() error {
			_, err := m.Create(t.Context(), protocol.CreateSessionRequest{Act: do, Session: protocol.NewSessionID()})
			return err
		},
		"resume": func() error {
			_, err := m.Resume(t.Context(), protocol.ResumeSessionRequest{Act: do, Session: id})
			return err
		},
		"send": func() error {
			_, err := m.Send(t.Context(), protocol.SendMessageRequest{Act: do, Session: id, Message: "m", Text: "x"})
			return err
		},
	}
	other := map[string]func() error{
		"answer": func() error {
			_, err := m.Answer(t.Context(), protocol.AnswerPromptRequest{Act: do, Session: id})
			return err
		},
		"interrupt": func() error {
			_, err := m.Interrupt(t.Context(), protocol.InterruptSessionRequest{Act: do, Session: id})
			return err
		},
		"terminate": func() error {
			_, err := m.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: do, Session: id})
			return err
		},
	}
	check(t, m.SetPolicy(parsed(t, `{"quiet_hours": [{"from": "22:00", "to": "07:00"}]}`)))
	for name, call := range begin {
		t.Run("quiet hours, "+name, func(t *testing.T) {
			r.refused(protocol.CodeRefused, call)
			if err := call(); !strings.Contains(err.Error(), "until Sunday 07:00 UTC") {
				t.Errorf("%v, want until when", err)
			}
		})
	}
	for name, call := range other {
		if known := (*protocol.Error)(nil); errors.As(call(), &known) && known.Code == protocol.CodeRefused {
			t.Errorf("quiet hours, %s: %v", name, known)
		}
	}
	check(t, m.SetPolicy(parsed(t, `{"people": ["bob", "carol"]}`)))
	maps.Copy(other, begin)
	for name, call := range other {
		t.Run("not named, "+name, func(*testing.T) { r.refused(protocol.CodeRefused, call) })
	}
	do.Actor = "bob"
	r.refused(protocol.CodeConflict, begin["send"]) // it has exited
}

// parsed is the policy that a file with this text means.
func parsed(t *testing.T, text string) policy.Policy {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.json")
	check(t, os.WriteFile(path, []byte(text), 0o600))
	p, err := policy.Load(path)
	check(t, err)
	return p
}
