package session

import (
	"path/filepath"
	"strings"
	"testing"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// breaking is Claude Code as if the installed version failed our tests of these features.
func breaking(features ...agentkind.Feature) agentkind.Kind {
	kind := agentkind.Claude()
	kind.Proof = func(version string) (agentkind.Proof, bool) {
		proof := agentkind.Proof{Version: version}
		for _, feature := range features {
			proof.Rows = append(proof.Rows, agentkind.Row{Name: "a trial", Feature: feature, Result: agentkind.Fail})
		}
		return proof, len(features) > 0
	}
	return kind
}

// with goes on with another kind of agent.
func (r *rig) with(kind agentkind.Kind) {
	r.t.Helper()
	check(r.t, r.Manager.Close())
	r.Manager = r.newManager()
	r.Kinds = []agentkind.Kind{kind}
	check(r.t, r.Open(r.t.Context()))
}

// restart goes on with a new manager.
func (r *rig) restart() {
	r.t.Helper()
	check(r.t, r.Manager.Close())
	r.Manager = r.newManager()
	check(r.t, r.Open(r.t.Context()))
}

// TestWithheldPrompt: the prompt is told with the reason, cannot be answered from elsewhere, and is settled by what is
// done at the terminal.
func TestWithheldPrompt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with(breaking(agentkind.FeaturePrompts))
	id := r.create("")
	r.send(id, "fake:bash touch made")
	p := r.prompt(id, 1)
	if len(p.Options) > 0 || p.AllowsText || !strings.HasPrefix(p.Detail, "touch made") || !strings.Contains(p.Detail, "Answer this at the terminal: claude") {
		t.Errorf("prompt = %+v", p)
	}
	r.refused(protocol.CodeUnavailable, func() error { return r.answer(p, protocol.Answer{Option: protocol.OptionAllow}) })
	if got := r.answerAtTerminal(p, "1"); got.Outcome != protocol.OutcomeAllowed || got.Where != protocol.WhereTerminal {
		t.Errorf("settlement = %+v, want allowed at the terminal", got)
	}
	r.entry(id, "the caveat", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleNotice && strings.Contains(e.Text, "use the terminal for: prompts (a trial)")
	})
}

// TestWithheldReceipts: a message is typed once, and nobody says that it has arrived.
func TestWithheldReceipts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with(breaking(agentkind.FeatureReceipts))
	id := r.create("")
	got := r.message(id, r.send(id, "hello there"))
	if got.Status != protocol.MessageNotConfirmed || !strings.Contains(got.Detail, "fails our test of: a trial") {
		t.Errorf("message became %+v, want not confirmed, and why", got)
	}
	r.entry(id, "the reply", func(e protocol.Entry) bool { return e.Role == protocol.RoleAssistant })
	users := 0
	for _, e := range r.events(id) {
		if e.Kind == protocol.EventEntry && decode[protocol.Entry](r, e).Role == protocol.RoleUser {
			users++
		}
	}
	if users != 1 {
		t.Errorf("the message was typed %d times", users)
	}
}

func TestWithheldActs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with(breaking(agentkind.FeatureMessages, agentkind.FeatureInterrupt, agentkind.FeatureResume))
	id := r.create("")
	for name, act := range map[string]func() error{
		"message": func() error {
			_, err := r.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: "m", Text: "hello"})
			return err
		},
		"interrupt": func() error {
			_, err := r.Interrupt(t.Context(), protocol.InterruptSessionRequest{Act: act(), Session: id})
			return err
		},
	} {
		t.Run(name, func(*testing.T) { r.refused(protocol.CodeUnavailable, act) })
	}
	_, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id})
	check(t, err)
	r.refused(protocol.CodeUnavailable, func() error {
		_, err := r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: id})
		return err
	})
}

// TestWithheldSessions: a version in which the owner's rules would not hold starts nothing, if there are rules.
func TestWithheldSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, test := range map[string]struct {
		broken agentkind.Feature
		rules  []policy.Rule
		starts bool
	}{
		"nothing works":           {agentkind.FeatureSessions, nil, false},
		"rules, and they fail":    {agentkind.FeatureRules, []policy.Rule{{}}, false},
		"no rules, and they fail": {agentkind.FeatureRules, nil, true},
	} {
		r.with(breaking(test.broken))
		rules := r.Policy
		rules.Deny = test.rules
		check(t, r.SetPolicy(rules))
		request := protocol.CreateSessionRequest{Act: act(), Session: protocol.NewSessionID(), WorkingDir: r.project}
		if _, err := r.Create(t.Context(), request); (err == nil) != test.starts {
			t.Errorf("%s: starting says %v", name, err)
		}
	}
}

// TestWithheldState: what cannot be known is not told as if it were.
func TestWithheldState(t *testing.T) {
	t.Parallel()
	kept := readRecording(t, filepath.Join("testdata", "TestPermissionAllowed.json"))
	w := newTelling(kept)
	w.kind = breaking(agentkind.FeatureState)
	w.tellAll(t, kept.Journal)
	var states []string
	for _, e := range w.events() {
		if s, err := protocol.Decode[protocol.Session](e); e.Kind == protocol.EventSession && err == nil {
			states = append(states, string(s.State))
		}
	}
	if got := strings.Join(states, " "); got != "uncertain waiting uncertain exited" {
		t.Errorf("states: %s", got)
	}
}

// TestNotTested: everything works, and the version says that nobody has tried it.
func TestNotTested(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with(breaking())
	id := r.create("")
	if got := r.message(id, r.send(id, "hello")); got.Status != protocol.MessageAccepted {
		t.Errorf("message became %v, want accepted", got)
	}
	s, err := r.session(id)
	check(t, err)
	if version := s.state().AgentVersion; !strings.HasSuffix(version, " (not tested)") {
		t.Errorf("version %q", version)
	}
	r.entry(id, "the caveat", func(e protocol.Entry) bool { return strings.Contains(e.Text, "was not tested with this host agent") })
}
