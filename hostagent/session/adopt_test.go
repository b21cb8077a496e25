package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// conversationOf is what a person has begun in a terminal, where he still has it open.
func (r *rig) conversationOf(text string) *person {
	r.t.Helper()
	return r.conversationIn("manual", text)
}

func (r *rig) conversationIn(mode, text string) *person {
	r.t.Helper()
	p := r.plainCLI("--permission-mode", mode)
	p.idle()
	p.says(text)
	p.untilTrue("the answer", func() bool { return strings.Contains(p.shows(), "You said: "+text) })
	p.idle()
	return p
}

// only waits for the one conversation that may be adopted.
func (r *rig) only() Adoptable {
	r.t.Helper()
	var all []Adoptable
	r.untilTrue("a conversation to adopt", func() bool {
		var err error
		all, _, err = r.Adoptables()
		check(r.t, err)
		return len(all) > 0
	})
	if len(all) > 1 {
		r.t.Fatalf("%d conversations may be adopted: %+v", len(all), all)
	}
	return all[0]
}

// TestAdopt: a person's own conversation goes on in a session, from its beginning, and is a session like any other.
func TestAdopt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.conversationOf("remember the blue door")
	found := r.only()
	if found.PID != p.command.Process.Pid || found.Words != "remember the blue door" || found.Dir != r.project || found.Mode != "manual" {
		t.Errorf("listed as %+v", found)
	}
	adoption := Adoption{Conversation: found.Conversation, By: "dev"}

	// Without consent, and with consent to end another process, nothing happens.
	for _, consented := range []int{0, os.Getpid()} {
		adoption.TakeOver = consented
		r.refused(protocol.CodeConflict, func() error { _, err := r.Adopt(t.Context(), adoption); return err })
		if !p.alive() {
			t.Fatal("the person's process was ended")
		}
	}
	adoption.TakeOver = found.PID
	s, err := r.Adopt(t.Context(), adoption)
	check(t, err)
	if p.alive() {
		t.Error("two processes have the conversation open")
	}
	if s.Name != "project" || s.PermissionMode != "manual" || !s.Adopted || s.WorkingDir != r.project {
		t.Errorf("adopted as %+v", s)
	}
	r.told(s.ID, protocol.StateStarting, "adopted")
	r.entry(s.ID, "how it came", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleNotice && e.Text == "adopted from "+p.named()+" in a terminal, by dev at this machine"
	})
	r.await(s.ID, protocol.StateIdle)
	r.entry(s.ID, "what was said before", func(e protocol.Entry) bool { return e.Role == protocol.RoleUser && e.Text == "remember the blue door" })
	message := r.send(s.ID, "fake:bash touch made")
	check(t, r.answer(r.prompt(s.ID, 1), protocol.Answer{Option: protocol.OptionAllow}))
	r.untilTrue("the command", func() bool { return exists(r.path("made")) })
	r.message(s.ID, message)
	r.await(s.ID, protocol.StateIdle)
	checkGapFree(t, r.events(s.ID))
	checkNoDoubles(r, r.events(s.ID))

	// It is nobody else's to adopt now, and after it has ended it is resumed, as all are.
	r.refused(protocol.CodeConflict, func() error { _, err := r.Adopt(t.Context(), adoption); return err })
	_, err = r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: s.ID})
	check(t, err)
	r.refused(protocol.CodeConflict, func() error { _, err := r.Adopt(t.Context(), adoption); return err })
	_, err = r.Resume(t.Context(), protocol.ResumeSessionRequest{Act: act(), Session: s.ID})
	check(t, err)
	r.await(s.ID, protocol.StateIdle)
	// The agent says that it is idle before it has drawn.
	r.untilTrue("its conversation", func() bool { return strings.Contains(r.screen(s.ID), "blue door") })
	// And it comes back after a restart.
	r.agentsGone(s.ID)
	r.startAgain("boot 2", func(p *policy.Policy) {
		resumes(p)
		p.People = []string{"somebody"} // for whom the host acts: its owner needs no such leave
	})
	r.await(s.ID, protocol.StateIdle)
}

// agentsGone kills everything of an adopted session.
func (r *rig) agentsGone(id protocol.SessionID) {
	r.t.Helper()
	s, err := r.session(id)
	check(r.t, err)
	conversation := s.born().Conversation
	r.killAll(id)
	r.untilTrue("the agent's end", func() bool { return len(r.writersOf(agentkind.Claude(), conversation)) == 0 })
}

// TestAdoptWhatNobodyHasOpen needs no consent; what has ended in the terminal, or was killed there, is as good.
func TestAdoptWhatNobodyHasOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.conversationOf("first words")
	p.end()
	found := r.only()
	if found.PID != 0 {
		t.Errorf("a dead process has it open: %+v", found)
	}
	s, err := r.Adopt(t.Context(), Adoption{Conversation: found.Conversation, Name: "mine", By: "dev"})
	check(t, err)
	r.entry(s.ID, "how it came", func(e protocol.Entry) bool { return e.Text == "adopted from a terminal, by dev at this machine" })
	r.await(s.ID, protocol.StateIdle)
	if all, _, err := r.Adoptables(); len(all) > 0 || err != nil {
		t.Errorf("what was adopted is still listed: %+v, %v", all, err)
	}
}

// TestAdoptBusy: a process that works, or waits for an answer, is left alone.
func TestAdoptBusy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.plainCLI("--permission-mode", "manual")
	p.idle()
	p.says("fake:bash touch made")
	p.is(agentkind.ActivityWaiting)
	adoption := Adoption{Conversation: r.only().Conversation, TakeOver: p.command.Process.Pid, By: "dev"}
	_, err := r.Adopt(t.Context(), adoption)
	if err == nil || !strings.Contains(err.Error(), "is waiting: wait until it is idle") || !p.alive() {
		t.Errorf("adopted from a dialog: %v, alive %v", err, p.alive())
	}
	if sessions := r.Sessions(); len(sessions) > 0 {
		t.Errorf("a refused adoption left %+v behind", sessions)
	}
}

// TestAdoptTwice: of two who adopt the same at the same time, one gets it.
func TestAdoptTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.conversationOf("first words")
	adoption := Adoption{Conversation: r.only().Conversation, TakeOver: p.command.Process.Pid, By: "dev"}
	results := make(chan error, 2)
	var both errgroup.Group
	for range 2 {
		both.Go(func() error {
			_, err := r.Adopt(t.Context(), adoption)
			results <- err
			return nil
		})
	}
	check(t, both.Wait())
	first, second := <-results, <-results
	if (first == nil) == (second == nil) || len(r.Sessions()) != 1 {
		t.Errorf("adopted by %v and %v: %d sessions", first, second, len(r.Sessions()))
	}
	r.await(r.Sessions()[0].ID, protocol.StateIdle)
}

// TestAdoptRefuses is what the policy and common sense have against it. The person's process lives on.
func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.conversationIn("dontAsk", "first words")
	good := Adoption{Conversation: r.only().Conversation, TakeOver: p.command.Process.Pid, Mode: "manual", By: "dev"}
	linked := filepath.Join(r.home, ".claude", "projects", "-linked")
	check(t, os.Mkdir(linked, 0o700))
	secret := filepath.Join(r.home, "secret.jsonl")
	check(t, os.WriteFile(secret, []byte(`{"type":"user","cwd":"`+r.project+`","message":{"role":"user","content":"a link"}}`+"\n"), 0o600))
	const link = "11111111-1111-4111-8111-111111111111"
	check(t, os.Symlink(secret, filepath.Join(linked, link+".jsonl")))

	same := func(*Adoption) {}
	lenient := func(*policy.Policy) {}
	for name, test := range map[string]struct {
		change func(*Adoption)
		policy func(*policy.Policy)
		want   string
	}{
		"its own mode":   {func(a *Adoption) { a.Mode = "" }, lenient, `is in the permission mode "dontAsk", which this host's policy does not allow; say in which to go on, as in --permission-mode manual`},
		"mode":           {func(a *Adoption) { a.Mode = "bypassPermissions" }, lenient, "does not allow the permission mode"},
		"unknown mode":   {func(a *Adoption) { a.Mode = "--mcp-config=/x" }, lenient, "has no permission mode"},
		"option as name": {func(a *Adoption) { a.Name = "--dangerously-skip-permissions" }, lenient, "begins with -"},
		"option":         {func(a *Adoption) { a.Conversation = "--dangerously-skip-permissions" }, lenient, "has no conversation"},
		"path":           {func(a *Adoption) { a.Conversation = "../../secret" }, lenient, "has no conversation"},
		"prefix":         {func(a *Adoption) { a.Conversation = a.Conversation[:8] }, lenient, "has no conversation"},
		"link":           {func(a *Adoption) { a.Conversation = link }, lenient, "has no conversation"},
		"agent":          {func(a *Adoption) { a.Agent = "other" }, lenient, "knows no agent"},
		"agent refused":  {same, func(p *policy.Policy) { p.Agents = []string{"other"} }, "does not allow the agent"},
		"root":           {same, func(p *policy.Policy) { p.Roots = []string{r.dir} }, "is not under one"},
		"quiet hours":    {same, func(p *policy.Policy) { p.QuietHours = []policy.QuietHours{{From: 0, To: 24 * 60}} }, "quiet hours"},
		"program":        {same, func(p *policy.Policy) { p.Programs = map[string]string{"claude": "/nowhere"} }, "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := r.newManager().Policy
			test.policy(&rules)
			check(t, r.SetPolicy(rules))
			adoption := good
			test.change(&adoption)
			_, err := r.Adopt(t.Context(), adoption)
			if known := (*protocol.Error)(nil); !errors.As(err, &known) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if !p.alive() || len(r.Sessions()) > 0 {
				t.Errorf("alive %v, sessions %v", p.alive(), r.Sessions())
			}
		})
	}
	check(t, r.SetPolicy(r.newManager().Policy))
	all, _, err := r.Adoptables()
	if err != nil || len(all) != 1 {
		t.Errorf("listed %+v, %v", all, err)
	}
}

// TestAdoptedAndNotUp: the agent is started, and whoever asked for that waits no longer for it to come up. The error says
// where the conversation is.
func TestAdoptedAndNotUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.conversationOf("first words").end()
	found := r.only()
	r.Manager.Self = filepath.Join(r.home, "holder") // says that it runs, and never does
	check(t, os.WriteFile(r.Manager.Self, []byte("#!/bin/sh\necho running\n"), 0o700))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error)
	go func() {
		_, err := r.Adopt(ctx, Adoption{Conversation: found.Conversation, By: "dev"})
		failed <- err
	}()
	r.untilTrue("the session", func() bool { return len(r.Sessions()) > 0 })
	cancel()
	want := "the conversation is session " + string(r.Sessions()[0].ID) + " now;"
	if err := <-failed; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("adoption ended with %v, want %s", err, want)
	}
}
