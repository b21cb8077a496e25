package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestWithheldQuestions: each kind of question is shown whole, and left to the terminal with the reason; other kinds are not.
func TestWithheldQuestions(t *testing.T) {
	t.Parallel()
	recordings := map[agentkind.Feature]string{
		agentkind.FeaturePrompts: "TestPermissionAllowed",
		agentkind.FeatureChoices: "TestQuestion",
		agentkind.FeaturePlans:   "TestPlan",
	}
	for broken := range recordings {
		for feature, name := range recordings {
			w := newTelling(readRecording(t, filepath.Join("testdata", name+".json")))
			w.kind = breaking(broken)
			w.tellAll(t, w.Journal)
			p := firstPrompt(t, w.events())
			why := "[Answer this at the terminal: claude " + w.Birth.AgentVersion + " fails our test of: a trial.]"
			left := len(p.Options) == 0 && !p.AllowsText && strings.HasSuffix(p.Detail, why)
			offered := len(p.Options) > 0 && p.AllowsText && !strings.Contains(p.Detail, why)
			if feature == broken && !left || feature != broken && !offered {
				t.Errorf("%s is broken, and of %s it is told: %+v", broken, feature, p)
			}
			if p.Digest != p.Sum() {
				t.Errorf("%s: the digest does not cover what is shown", feature)
			}
		}
	}
}

// TestWithheldDialog: the trust dialog is shown, and its keys are pressed by nobody but the person at the terminal.
func TestWithheldDialog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with(breaking(agentkind.FeatureDialogs))
	strange := filepath.Join(r.home, "strange")
	check(t, os.Mkdir(strange, 0o700))
	id := r.start(protocol.CreateSessionRequest{WorkingDir: strange})
	p := r.prompt(id, 1)
	if p.Kind != protocol.PromptTrust || len(p.Options) > 0 || !strings.Contains(p.Detail, strange) || !strings.Contains(p.Detail, "Answer this at the terminal: claude") {
		t.Errorf("prompt = %+v", p)
	}
	r.refused(protocol.CodeUnavailable, func() error { return r.answer(p, protocol.Answer{Option: protocol.OptionAllow}) })
	r.untilTrue("the terminal's answer", func() bool { return time.Since(p.AskedAt) > dialogAge })
	r.atTerminal(id, "\x1b[B")
	r.untilTrue("selected answer", func() bool { return strings.Contains(r.screen(id), "❯ Yes, I trust this folder") })
	r.atTerminal(id, "\r")
	r.await(id, protocol.StateIdle)
}

// TestWithheldIsTold: whatever a version breaks stands in the transcript when a session starts, with the rows.
func TestWithheldIsTold(t *testing.T) {
	t.Parallel()
	kept := readRecording(t, filepath.Join("testdata", "TestPermissionAllowed.json"))
	for _, feature := range agentkind.Features() {
		w := newTelling(kept)
		w.kind = breaking(feature)
		w.tellAll(t, w.Journal)
		want := "claude " + kept.Birth.AgentVersion + " fails some of our tests; use the terminal for: " + string(feature) + " (a trial)."
		told := 0
		for _, e := range w.events() {
			if entry, err := protocol.Decode[protocol.Entry](e); e.Kind == protocol.EventEntry && err == nil && entry.Role == protocol.RoleNotice && entry.Text == want {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s: told %d times: %s", feature, told, want)
		}
	}
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
	r.with(breaking(agentkind.FeatureState))
	uncertain := r.start(protocol.CreateSessionRequest{WorkingDir: r.project})
	r.refused(protocol.CodeUnavailable, func() error {
		_, err := r.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: uncertain, Message: "m", Text: "hello"})
		return err
	})
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

// TestWithheldUsage: what an agent took, and what that cost, is in nothing that is told.
func TestWithheldUsage(t *testing.T) {
	t.Parallel()
	kept := readRecording(t, filepath.Join("testdata", "TestPermissionAllowed.json"))
	for name, test := range map[string]struct {
		kind  agentkind.Kind
		shown bool
	}{
		"works":    {breaking(), true},
		"withheld": {breaking(agentkind.FeatureUsage), false},
	} {
		w := newTelling(kept)
		w.kind = test.kind
		w.tellAll(t, kept.Journal)
		usages, entries, shown := 0, 0, 0
		for _, e := range w.events() {
			entry, err := protocol.Decode[protocol.Entry](e)
			switch {
			case e.Kind == protocol.EventUsage:
				usages++
			case e.Kind == protocol.EventEntry && err == nil && entry.Role != protocol.RoleNotice:
				entries++
				if entry.Usage != nil {
					shown++
				}
			}
		}
		if usages > 0 != test.shown || shown > 0 != test.shown || (w.session.Usage != nil) != test.shown || entries == 0 {
			t.Errorf("%s: told %d times, and with %d of %d entries; the session's is %+v", name, usages, shown, entries, w.session.Usage)
		}
	}
}

// TestWithheldUsageOfNextVersion: what an earlier version took stays, and is not told as all.
func TestWithheldUsageOfNextVersion(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.write(p.conversation, replies("m1", "a", 5, 6), costs(0.5, 12))
	p.readAll(p.begin(1, p.conversation))
	before := *p.state().Usage
	p.fold.kind = breaking(agentkind.FeatureUsage)
	p.write(p.conversation, replies("m2", "b", 70, 80), costs(7, 700))
	p.readAll()
	after := *p.state().Usage
	if before.CostPartial || !after.CostPartial || after.Main != before.Main || *after.CostUSD != *before.CostUSD {
		t.Errorf("usage %+v, then %+v", before, after)
	}
	p.wantTold("assistant: a", "assistant: b")
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
